import { type Command, isMalformed, type MalformedCommand } from './commands';
import { type Decision, decide } from './decide';
import type { CartEvent, EventFact } from './events';
import { evolve } from './evolve';
import { type Cart, emptyCart } from './state';

/** A command as it goes on record: its envelope, and its own fields as `data`. */
export interface RecordedCommand {
  readonly commandId: string;
  readonly type: string;
  readonly actor: string;
  readonly issuedAt: string;
  readonly expectedVersion?: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * A decision as it goes on record, the n-th of a cart with sequence n. Rejected ones are on record too, so sequences run
 * ahead of versions; both are gap-free.
 */
export interface RecordedDecision {
  readonly sequence: number;
  readonly command: RecordedCommand;
  readonly decidedAt: string;
  /** The workflow run that decided, so that the command can be found in Temporal's history. */
  readonly runId: string;
  readonly outcome: Decision['outcome'];
  readonly code?: string;
  readonly reason?: string;
  readonly events: readonly CartEvent[];
}

/** All that handling the next command needs: where a cart's log stands. */
export interface Checkpoint {
  readonly cart: Cart;
  /** The number of decisions so far, rejected ones included. */
  readonly sequence: number;
  /** The ids of the newest commands, oldest first: at least `rememberedCommands`, and all that are not projected. */
  readonly recentCommandIds: readonly string[];
}

/** How many recent command ids a cart remembers, to recognise a command that arrives twice. */
export const rememberedCommands = 1_000;

export const emptyCheckpoint: Checkpoint = { cart: emptyCart, sequence: 0, recentCommandIds: [] };

/**
 * The whole step of one command: decide, fold the events, remember the command. A command seen before gives no decision and
 * changes nothing. A malformed one is always on record, if need be under a fresh id.
 * `decidedAt` never runs behind the cart's last event, so that versions and instants order events alike.
 */
export function handle(
  checkpoint: Checkpoint,
  command: Command | MalformedCommand,
  at: {
    readonly now: string;
    readonly runId: string;
    readonly freshId: () => string;
    /** How many decisions are not projected: their commands' repeats are recognised nowhere but here. */
    readonly unprojected: number;
  },
): { checkpoint: Checkpoint; decision?: RecordedDecision } {
  const { cart, sequence, recentCommandIds } = checkpoint;
  const isRepeated = command.commandId !== undefined && recentCommandIds.includes(command.commandId);
  if (isRepeated && !isMalformed(command)) return { checkpoint };
  const decidedAt = cart.updatedAt !== null && cart.updatedAt > at.now ? cart.updatedAt : at.now;
  const recorded = isMalformed(command)
    ? recordMalformed(command, decidedAt, isRepeated ? undefined : command.commandId, at.freshId)
    : record(command);
  const decision = {
    sequence: sequence + 1,
    command: recorded,
    decidedAt,
    runId: at.runId,
    ...outcomeOf(cart, command, decidedAt),
  };
  return {
    checkpoint: {
      cart: decision.events.reduce(evolve, cart),
      sequence: sequence + 1,
      recentCommandIds: [...recentCommandIds, recorded.commandId].slice(
        -Math.max(rememberedCommands, at.unprojected + 1),
      ),
    },
    decision,
  };
}

function outcomeOf(
  cart: Cart,
  command: Command | MalformedCommand,
  occurredAt: string,
): Pick<RecordedDecision, 'outcome' | 'code' | 'reason' | 'events'> {
  if (isMalformed(command)) {
    const reason = `The command could not be read: ${command.reason}.`;
    return { outcome: 'rejected', code: 'malformed_command', reason, events: [] };
  }
  const decision = decide(cart, command);
  if (decision.outcome === 'rejected') return { ...decision, events: [] };
  const { commandId, actor } = command;
  const stamp = (fact: EventFact, index: number): CartEvent => ({
    ...fact,
    version: cart.version + 1 + index,
    occurredAt,
    commandId,
    actor,
  });
  return { outcome: 'applied', events: decision.events.map(stamp) };
}

function record(command: Command): RecordedCommand {
  const { type, commandId, issuedAt, actor, expectedVersion, ...data } = command;
  return { commandId, type, actor, issuedAt, ...(expectedVersion === undefined ? {} : { expectedVersion }), data };
}

function recordMalformed(
  { type, payload }: MalformedCommand,
  issuedAt: string,
  ownId: string | undefined,
  freshId: () => string,
): RecordedCommand {
  return { commandId: ownId ?? freshId(), type, actor: 'unknown', issuedAt, data: { payload } };
}
