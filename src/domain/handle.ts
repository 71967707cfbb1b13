import { type BatchPlace, isNextInBatch } from './batch';
import {
  type Command,
  type IncomingCommand,
  isMalformed,
  isSuperseded,
  type MalformedCommand,
  type SupersededCommand,
} from './commands';
import { checkVersion, decide } from './decide';
import type { RejectionCode } from './decision';
import type { CartEvent, EventFact } from './events';
import { evolve } from './evolve';
import { fingerprintOf } from './fingerprint';
import { type Memory, markReuse, openMemory, type RecentCommands, rememberedCommands } from './recent-commands';
import { type RecordedCommand, record, reuseId, toCommand, unnamedId, unreadable } from './record-command';
import { type Cart, emptyCart } from './state';

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

/**
 * Names one decision of a cart: two decisions of the same sequence that were made at different places have different
 * names.
 */
export type DecisionRef = Pick<RecordedDecision, 'sequence' | 'decidedAt' | 'runId'> &
  Pick<RecordedCommand, 'commandId'>;

export const refOf = ({ sequence, command, runId, decidedAt }: RecordedDecision): DecisionRef => ({
  sequence,
  commandId: command.commandId,
  runId,
  decidedAt,
});

export const isSameDecision = (one: DecisionRef, other: DecisionRef): boolean =>
  one.sequence === other.sequence &&
  one.commandId === other.commandId &&
  one.runId === other.runId &&
  one.decidedAt === other.decidedAt;

/** All that handling the next command needs: where a cart's log ends. */
export interface Checkpoint extends RecentCommands {
  readonly cart: Cart;
  /** The number of decisions so far, rejected ones included. */
  readonly sequence: number;
  /** The last decision; undefined where there is none, or in runs without fingerprints. */
  readonly last?: DecisionRef;
}

export const emptyCheckpoint: Checkpoint = {
  cart: emptyCart,
  sequence: 0,
  recentCommandIds: [],
  recentFingerprints: [],
};

/**
 * The checkpoint that a run hands to the next one: with fingerprints, empty where they are not known, and without
 * commands that need not be remembered any more.
 */
export function toCarriedCheckpoint(checkpoint: Checkpoint, unprojectedCount: number): Checkpoint {
  const { recentCommandIds, recentFingerprints = recentCommandIds.map(() => '') } = checkpoint;
  const window = Math.max(rememberedCommands, unprojectedCount);
  return {
    ...checkpoint,
    recentCommandIds: recentCommandIds.slice(-window),
    recentFingerprints: recentFingerprints.slice(-window),
  };
}

/** What handling commands needs beside the checkpoint. */
export interface HandleContext {
  readonly now: string;
  readonly runId: string;
  /** For malformed commands of runs without fingerprints. */
  readonly freshId: () => string;
  /** How many decisions are not projected. The checkpoint must keep their command ids, because Postgres lacks them. */
  readonly unprojectedCount: number;
}

/** The decisions of some commands, and the checkpoint after them. */
export interface Handled {
  readonly checkpoint: Checkpoint;
  readonly decisions: readonly RecordedDecision[];
}

/**
 * Handles commands in their order: decides each, folds its events and remembers its id. A command that is remembered
 * gives no decision and changes nothing; another one under a remembered id is recorded as rejected, once. `decidedAt`
 * is never before the cart's last event, so that versions and instants order events alike.
 */
export function handleAll(
  checkpoint: Checkpoint,
  commands: readonly IncomingCommand[],
  context: HandleContext,
): Handled {
  if (commands.length === 0) return { checkpoint, decisions: [] };
  const memory = openMemory(checkpoint);
  const decisions: RecordedDecision[] = [];
  let { cart } = checkpoint;
  for (const group of groupBatches(commands)) {
    const { version } = cart;
    const decidedAt = cart.updatedAt !== null && cart.updatedAt > context.now ? cart.updatedAt : context.now;
    const outcomes = isAtomic(group) ? decideAtomically(cart, group, decidedAt, memory) : undefined;
    for (const [index, command] of group.entries()) {
      const sequence = checkpoint.sequence + decisions.length + 1;
      const recorded = isMalformed(command)
        ? recordMalformed(memory, command, decidedAt, context)
        : record(readable(command));
      const { commandId } = recorded;
      const fingerprint = fingerprintOf(recorded);
      const use = memory.find(commandId, fingerprint);
      if (use === 'same') continue;
      const isReuse = use === 'other';
      const decision: RecordedDecision = {
        sequence,
        command: isReuse ? { ...recorded, commandId: reuseId(commandId, sequence) } : recorded,
        decidedAt,
        runId: context.runId,
        ...(isReuse ? rejectReuse(commandId) : (outcomes?.[index] ?? outcomeOf(cart, command, decidedAt, version))),
      };
      decisions.push(decision);
      cart = decision.events.reduce(evolve, cart);
      const remembered = isReuse ? markReuse(commandId, fingerprint) : fingerprint;
      memory.add(decision.command.commandId, remembered, context.unprojectedCount + decisions.length);
    }
  }
  const last = decisions.at(-1);
  if (last === undefined) return { checkpoint, decisions };
  const after = { cart, sequence: last.sequence, ...memory.toRecentCommands() };
  return { checkpoint: memory.hasFingerprints ? { ...after, last: refOf(last) } : after, decisions };
}

/** As `handleAll`, for one command. */
export function handle(
  checkpoint: Checkpoint,
  command: IncomingCommand,
  context: HandleContext,
): { checkpoint: Checkpoint; decision?: RecordedDecision } {
  const handled = handleAll(checkpoint, [command], context);
  const [decision] = handled.decisions;
  return { checkpoint: handled.checkpoint, ...(decision === undefined ? {} : { decision }) };
}

/** Handles the commands of decisions again, on another checkpoint: those that it remembers give no decision. */
export const handleAgain = (
  checkpoint: Checkpoint,
  decisions: readonly RecordedDecision[],
  context: Omit<HandleContext, 'unprojectedCount'>,
): Handled => handleAll(checkpoint, decisions.map(toCommand), { ...context, unprojectedCount: 0 });

const readable = (command: Command | SupersededCommand): Command =>
  isSuperseded(command) ? command.superseded : command;

const placeOf = (command: IncomingCommand): BatchPlace | undefined =>
  isMalformed(command) ? undefined : readable(command).batch;

/** The commands of a batch together, and all others alone. */
function groupBatches(commands: readonly IncomingCommand[]): IncomingCommand[][] {
  const groups: IncomingCommand[][] = [];
  for (const command of commands) {
    const group = groups.at(-1);
    if (group && isNextInBatch(placeOf(group.at(-1)!), placeOf(command))) group.push(command);
    else groups.push([command]);
  }
  return groups;
}

const isAtomic = ([first]: readonly IncomingCommand[]): boolean => placeOf(first!)?.atomic === true;

/** Decides the commands of a batch that are applied together: where one is rejected, or known already, all are. */
function decideAtomically(
  cart: Cart,
  group: readonly IncomingCommand[],
  occurredAt: string,
  memory: Memory,
): RecordedOutcome[] {
  const outcomes: RecordedOutcome[] = [];
  let after = cart;
  for (const command of group) {
    const { commandId } = readable(command as Command | SupersededCommand);
    const outcome = memory.isKnown(commandId)
      ? rejectReuse(commandId)
      : outcomeOf(after, command, occurredAt, cart.version);
    if (outcome.outcome === 'rejected') {
      const reason = `Command ${outcomes.length + 1} of the batch was rejected: ${outcome.reason}`;
      const rejected = { outcome: 'rejected', code: 'batch_rejected', reason, events: [] } as const;
      return group.map((_, index) => (index === outcomes.length ? outcome : rejected));
    }
    outcomes.push(outcome);
    after = outcome.events.reduce(evolve, after);
  }
  return outcomes;
}

const rejectReuse = (commandId: string): RecordedOutcome => ({
  outcome: 'rejected',
  code: 'idempotency_key_reused',
  reason: `The id ${commandId} belongs to an earlier, different command.`,
  events: [],
});

/** @param version the one with which an expected version is compared. */
function outcomeOf(cart: Cart, command: IncomingCommand, occurredAt: string, version: number): RecordedOutcome {
  if (isMalformed(command)) {
    return { outcome: 'rejected', code: 'malformed_command', reason: unreadable(command.reason), events: [] };
  }
  if (isSuperseded(command)) return { outcome: 'rejected', code: 'superseded', reason: command.reason, events: [] };
  const decision = checkVersion(version, command) ?? decide(cart, command);
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

/**
 * A malformed command without an id, or whose id belongs to another command, gets one made of its type and payload:
 * handled again, it is recognised.
 */
function recordMalformed(
  memory: Memory,
  { type, commandId, payload }: MalformedCommand,
  issuedAt: string,
  { freshId }: HandleContext,
): RecordedCommand {
  const data = { payload };
  const fingerprint = fingerprintOf({ type, data });
  const otherId = () => (memory.hasFingerprints ? unnamedId(fingerprint) : freshId());
  const use = commandId === undefined ? 'other' : memory.find(commandId, fingerprint);
  const isOwn = use === 'none' || (use === 'same' && memory.hasFingerprints);
  return { commandId: isOwn ? commandId! : otherId(), type, actor: 'unknown', issuedAt, data };
}
