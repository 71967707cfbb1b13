import { type Command, isMalformed, type MalformedCommand } from './commands';
import { decide, type RejectionCode } from './decide';
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

/** What was decided of a command, as it is recorded: the decision with its events stamped. */
export type RecordedOutcome =
  | { readonly outcome: 'applied'; readonly events: readonly CartEvent[] }
  | {
      readonly outcome: 'rejected';
      readonly code: RejectionCode;
      readonly reason: string;
      readonly events: readonly CartEvent[];
    };

/**
 * A decision as it is recorded; the n-th of a cart has sequence n. Rejected commands are recorded too, so that a cart's
 * sequence is at least its version. Both are gap-free.
 */
export type RecordedDecision = RecordedOutcome & {
  readonly sequence: number;
  readonly command: RecordedCommand;
  readonly decidedAt: string;
  /** The workflow run that decided, so that the command can be found in Temporal's history. */
  readonly runId: string;
};

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

/** What handling a command needs beside the checkpoint. */
export interface HandleContext {
  readonly now: string;
  readonly runId: string;
  readonly freshId: () => string;
  /** How many decisions are not projected. Only the checkpoint knows the ids of their commands. */
  readonly unprojectedCount: number;
}

/**
 * Handles one command: decides it, folds the events and remembers its id. A command whose id is remembered gives no decision
 * and changes nothing. A malformed command is always recorded, where its id is taken or missing under a fresh one.
 * `decidedAt` is never before the cart's last event, so that versions and instants order events alike.
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
