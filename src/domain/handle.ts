import { type Command, isMalformed, type MalformedCommand } from './commands';
import { decide, type RejectionCode } from './decide';
import type { CartEvent, EventFact } from './events';
import { evolve } from './evolve';
import { fingerprintOf } from './fingerprint';
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

/** Names one decision of a cart: two decisions of the same sequence that were made at different places have different names. */
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
export interface Checkpoint {
  readonly cart: Cart;
  /** The number of decisions so far, rejected ones included. */
  readonly sequence: number;
  /** The ids of the newest commands, oldest first: at least `rememberedCommands`, and all that are not projected. */
  readonly recentCommandIds: readonly string[];
  /**
   * The fingerprints of those commands, in the same order; empty where one is not known, `markReuse` where it was rejected as
   * a reuse. Runs that began before there were fingerprints have none, and take every command whose id they remember for the
   * same command.
   */
  readonly recentFingerprints?: readonly string[];
  /** The last decision; undefined where there is none, or in runs without fingerprints. */
  readonly last?: DecisionRef;
}

/** How many recent command ids a cart remembers, to recognise a command that arrives twice. */
export const rememberedCommands = 1_000;

export const emptyCheckpoint: Checkpoint = {
  cart: emptyCart,
  sequence: 0,
  recentCommandIds: [],
  recentFingerprints: [],
};

/** The checkpoint with fingerprints, those that are not known empty: what a run hands to the next one. */
export const withFingerprints = (checkpoint: Checkpoint): Checkpoint => ({
  ...checkpoint,
  recentFingerprints: checkpoint.recentFingerprints ?? checkpoint.recentCommandIds.map(() => ''),
});

/** What handling a command needs beside the checkpoint. */
export interface HandleContext {
  readonly now: string;
  readonly runId: string;
  /** For malformed commands of runs without fingerprints. */
  readonly freshId: () => string;
  /** How many decisions are not projected. Only the checkpoint knows the ids of their commands. */
  readonly unprojectedCount: number;
}

/**
 * Handles one command: decides it, folds the events and remembers its id. A command that is remembered gives no decision and
 * changes nothing; another one under a remembered id is recorded as rejected, once.
 * `decidedAt` is never before the cart's last event, so that versions and instants order events alike.
 */
export function handle(
  checkpoint: Checkpoint,
  command: Command | MalformedCommand,
  context: HandleContext,
): { checkpoint: Checkpoint; decision?: RecordedDecision } {
  const { cart, sequence } = checkpoint;
  const decidedAt = cart.updatedAt !== null && cart.updatedAt > context.now ? cart.updatedAt : context.now;
  const recorded = isMalformed(command) ? recordMalformed(checkpoint, command, decidedAt, context) : record(command);
  const fingerprint = fingerprintOf(recorded);
  const use = findUse(checkpoint, recorded.commandId, fingerprint);
  if (use === 'same') return { checkpoint };
  const decision: RecordedDecision = {
    sequence: sequence + 1,
    command: use === 'other' ? { ...recorded, commandId: reuseId(recorded.commandId, sequence + 1) } : recorded,
    decidedAt,
    runId: context.runId,
    ...(use === 'other' ? rejectReuse(recorded.commandId) : outcomeOf(cart, command, decidedAt)),
  };
  const remembered = use === 'other' ? markReuse(recorded.commandId, fingerprint) : fingerprint;
  return { checkpoint: advance(checkpoint, decision, remembered, context.unprojectedCount), decision };
}

/**
 * Handles the commands of decisions again, on another checkpoint: those that it remembers give no decision.
 * @param checkpoint one with fingerprints.
 */
export function handleAgain(
  checkpoint: Checkpoint,
  decisions: readonly RecordedDecision[],
  context: Omit<HandleContext, 'unprojectedCount'>,
): { checkpoint: Checkpoint; decisions: RecordedDecision[] } {
  let current = checkpoint;
  const again: RecordedDecision[] = [];
  for (const decision of decisions) {
    const step = handle(current, toCommand(decision), { ...context, unprojectedCount: again.length });
    current = step.checkpoint;
    if (step.decision) again.push(step.decision);
  }
  return { checkpoint: current, decisions: again };
}

/** Whether this command, or another one, is remembered under this id. */
function findUse(
  { recentCommandIds, recentFingerprints }: Checkpoint,
  commandId: string,
  fingerprint: string,
): 'none' | 'same' | 'other' {
  if (recentFingerprints === undefined) return recentCommandIds.includes(commandId) ? 'same' : 'none';
  const reuse = markReuse(commandId, fingerprint);
  if (recentFingerprints.includes(reuse)) return 'same';
  const index = recentCommandIds.indexOf(commandId);
  if (index === -1) return 'none';
  const known = recentFingerprints[index];
  return known === fingerprint || known === '' ? 'same' : 'other';
}

/** The id under which a command is recorded whose own id belongs to another command. */
const reuseId = (commandId: string, sequence: number): string => `${commandId}~${sequence}`;

/** What is remembered, in place of a fingerprint, of a command that was rejected as a reuse of this id. */
export const markReuse = (commandId: string, fingerprint: string): string => `${commandId}=${fingerprint}`;

const rejectReuse = (commandId: string): RecordedOutcome => ({
  outcome: 'rejected',
  code: 'idempotency_key_reused',
  reason: `The id ${commandId} belongs to an earlier, different command.`,
  events: [],
});

function advance(
  { cart, recentCommandIds, recentFingerprints }: Checkpoint,
  decision: RecordedDecision,
  fingerprint: string,
  unprojectedCount: number,
): Checkpoint {
  const remembered = Math.max(rememberedCommands, unprojectedCount + 1);
  return {
    cart: decision.events.reduce(evolve, cart),
    sequence: decision.sequence,
    recentCommandIds: [...recentCommandIds, decision.command.commandId].slice(-remembered),
    ...(recentFingerprints === undefined
      ? {}
      : { recentFingerprints: [...recentFingerprints, fingerprint].slice(-remembered), last: refOf(decision) }),
  };
}

const unreadable = (reason: string): string => `The command could not be read: ${reason}.`;

function outcomeOf(cart: Cart, command: Command | MalformedCommand, occurredAt: string): RecordedOutcome {
  if (isMalformed(command)) {
    return { outcome: 'rejected', code: 'malformed_command', reason: unreadable(command.reason), events: [] };
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

/**
 * A malformed command without an id, or whose id belongs to another command, gets one made of its type and payload: handled
 * again, it is recognised.
 */
function recordMalformed(
  checkpoint: Checkpoint,
  { type, commandId, payload }: MalformedCommand,
  issuedAt: string,
  { freshId }: HandleContext,
): RecordedCommand {
  const data = { payload };
  const fingerprint = fingerprintOf({ type, data });
  const isFree = commandId !== undefined && isFreeFor(checkpoint, commandId, fingerprint);
  const otherId = () => (checkpoint.recentFingerprints === undefined ? freshId() : `unnamed-${fingerprint}`);
  return { commandId: isFree ? commandId : otherId(), type, actor: 'unknown', issuedAt, data };
}

function isFreeFor(checkpoint: Checkpoint, commandId: string, fingerprint: string): boolean {
  const use = findUse(checkpoint, commandId, fingerprint);
  return use === 'none' || (use === 'same' && checkpoint.recentFingerprints !== undefined);
}

/** The command that a decision was made of. */
function toCommand({ command, ...decision }: RecordedDecision): Command | MalformedCommand {
  const { commandId: recordedId, type, actor, issuedAt, expectedVersion, data } = command;
  const code = decision.outcome === 'rejected' ? decision.code : undefined;
  const commandId = code === 'idempotency_key_reused' ? recordedId.slice(0, recordedId.lastIndexOf('~')) : recordedId;
  if (typeof data.payload === 'string') {
    const reason = decision.outcome === 'rejected' ? decision.reason : '';
    const [before, after] = unreadable('\n').split('\n') as [string, string];
    const inner = reason.startsWith(before) ? reason.slice(before.length, -after.length) : reason;
    return { type, commandId, reason: inner, payload: data.payload };
  }
  const envelope = { commandId, issuedAt, actor, ...(expectedVersion === undefined ? {} : { expectedVersion }) };
  return { type, ...envelope, ...data } as Command;
}
