import { type Command, isMalformed, type MalformedCommand } from './commands';
import { decide, type RejectionCode } from './decide';
import type { CartEvent, EventFact } from './events';
import { evolve } from './evolve';
import { type Cart, emptyCart } from './state';

/** A command as it is recorded: its envelope, and its own fields as `data`. */
export interface RecordedCommand {
  readonly commandId: string;
  readonly type: string;
  readonly actor: string;
  readonly issuedAt: string;
  readonly expectedVersion?: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The outcome of a command as it is recorded: its events have version, instant, command id and actor. */
export type RecordedOutcome =
  | { readonly outcome: 'applied'; readonly events: readonly CartEvent[] }
  | {
      readonly outcome: 'rejected';
      readonly code: RejectionCode;
      readonly reason: string;
      readonly events: readonly CartEvent[];
    };

/**
 * A decision as it is recorded. The n-th decision of a cart has sequence n. Rejected commands are recorded too.
 * Sequences and versions have no gaps.
 */
export type RecordedDecision = RecordedOutcome & {
  readonly sequence: number;
  readonly command: RecordedCommand;
  readonly decidedAt: string;
  /** The workflow run that made the decision, for finding the command in Temporal's history. */
  readonly runId: string;
};

/** The state of a cart after its newest decision: all that handling the next command needs. */
export interface Checkpoint {
  readonly cart: Cart;
  /** The number of decisions so far, rejected ones included. */
  readonly sequence: number;
  /** The ids of the newest `rememberedCommands` commands and of all commands that are not projected, oldest first. */
  readonly recentCommandIds: readonly string[];
}

/** How many recent command ids a cart remembers, to detect repeated commands. */
export const rememberedCommands = 1_000;

export const emptyCheckpoint: Checkpoint = { cart: emptyCart, sequence: 0, recentCommandIds: [] };

/** What handling a command needs besides the checkpoint and the command. */
export interface HandleContext {
  readonly now: string;
  readonly runId: string;
  readonly freshId: () => string;
  /** How many decisions are not projected. The checkpoint must keep their command ids, because Postgres lacks them. */
  readonly unprojectedCount: number;
}

/**
 * Handles one command: decides it, folds its events into the cart and remembers its id. A repeated command leads to no
 * decision and no change. A malformed command is always recorded, with a new id if its own id is missing or repeated.
 * `decidedAt` is never before the cart's last event, so versions and instants give the same order of events.
 */
export function handle(
  checkpoint: Checkpoint,
  command: Command | MalformedCommand,
  context: HandleContext,
): { checkpoint: Checkpoint; decision?: RecordedDecision } {
  const { cart, sequence, recentCommandIds } = checkpoint;
  const isRepeated = command.commandId !== undefined && recentCommandIds.includes(command.commandId);
  if (isRepeated && !isMalformed(command)) return { checkpoint };
  const decidedAt = cart.updatedAt !== null && cart.updatedAt > context.now ? cart.updatedAt : context.now;
  const recorded = isMalformed(command)
    ? recordMalformed(command, decidedAt, isRepeated ? undefined : command.commandId, context.freshId)
    : record(command);
  const decision: RecordedDecision = {
    sequence: sequence + 1,
    command: recorded,
    decidedAt,
    runId: context.runId,
    ...outcomeOf(cart, command, decidedAt),
  };
  const remembered = Math.max(rememberedCommands, context.unprojectedCount + 1);
  return {
    checkpoint: {
      cart: decision.events.reduce(evolve, cart),
      sequence: sequence + 1,
      recentCommandIds: [...recentCommandIds, recorded.commandId].slice(-remembered),
    },
    decision,
  };
}

function outcomeOf(cart: Cart, command: Command | MalformedCommand, occurredAt: string): RecordedOutcome {
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
