import type { Knex } from 'knex';
import type { Batch, RecordEnd } from '../../contract/activities';
import { fingerprintOf } from '../../domain/fingerprint';
import { type DecisionRef, isSameDecision, type RecordedDecision, refOf } from '../../domain/handle';
import { readRecordEndIn } from '../log/checkpoint';
import { compareLog, ForkError, readStoredParts } from '../log/compare-log';
import { isReuse, type RecordedRef, readRecordedRefs, readUsedIds, reuseOf, toRemembered } from '../log/recorded';
import { nameApart } from '../log/rows';
import { BrokenChainError, chainAll } from './chain-log';
import { foldDecisions, type ProjectedRows } from './fold';
import { type LockedCart, lockCarts, type WhenLocked } from './lock-carts';
import { writeRows } from './write';

/** Postgres lacks decisions between those it has and those to be projected. */
export class GapError extends Error {
  override readonly name = 'GapError';

  /** @param after the last decision that Postgres has before the gap. */
  constructor(
    message: string,
    readonly after: number,
  ) {
    super(message);
  }
}

/**
 * Why a batch cannot follow on the record: it follows on something else, or has commands that are on record already.
 */
export interface Divergence {
  /** The first place of the batch that is different on record, in words. */
  readonly reason: string;
  /** Where the record ends. Absent for a batch that does not name what it follows on: its run could not use it. */
  readonly end?: RecordEnd;
}

/** How many of a batch's decisions were new, or why none of them was written. */
export type BatchOutcome =
  | { readonly added: number }
  | { readonly diverged: Divergence }
  | { readonly gap: GapError }
  | { readonly broken: BrokenChainError };

/** The outcome of a batch whose cart another transaction has locked. */
export interface LockedOutcome {
  readonly isLocked: true;
}

/**
 * Projects batches of different carts in this transaction: locks the carts, compares the batches with the record,
 * folds the new decisions, writes the log and the read model, and notifies who waits for them. Decisions that are on
 * record are skipped, so that a repeated, late or parallel call changes nothing; nothing on record ever changes.
 * @param whenLocked whether to wait for a cart that another transaction has locked, or to leave its batch out.
 * @returns the outcome of each batch, in order.
 */
export async function projectBatches(trx: Knex.Transaction, batches: readonly Batch[]): Promise<BatchOutcome[]>;
export async function projectBatches(
  trx: Knex.Transaction,
  batches: readonly Batch[],
  whenLocked: WhenLocked,
): Promise<(BatchOutcome | LockedOutcome)[]>;
export async function projectBatches(
  trx: Knex.Transaction,
  batches: readonly Batch[],
  whenLocked: WhenLocked = 'wait',
): Promise<(BatchOutcome | LockedOutcome)[]> {
  const userIds = batches.map((batch) => batch.userId);
  const carts = await lockCarts(trx, userIds, whenLocked);
  const locked = batches.filter(({ userId }) => carts.has(userId));
  const recorded = await readRecordedRefs(
    trx,
    locked.filter(({ after }) => after !== undefined),
  );
  const forks = await findForks(trx, locked, carts);
  const freshOf = ({ userId, decisions }: Batch) =>
    decisions.filter(({ sequence }) => sequence > carts.get(userId)!.sequence);
  const usedIds = await readUsedIds(
    trx,
    locked
      .filter(({ after }) => after === undefined)
      .flatMap((batch) => freshOf(batch).map(({ command: { commandId } }) => ({ userId: batch.userId, commandId }))),
  );
  const rows: ProjectedRows[] = [];
  const outcomes: (BatchOutcome | LockedOutcome)[] = [];
  for (const batch of batches) {
    const cart = carts.get(batch.userId);
    if (cart === undefined) {
      outcomes.push({ isLocked: true });
      continue;
    }
    const fresh = freshOf(batch);
    const gap = findGap(cart, fresh);
    const refs = recorded.get(batch);
    const other = refs === undefined ? forks.get(batch) : findOtherDecision(cart, batch, fresh, refs);
    const reason = other ?? findVersionBreak(cart, fresh);
    if (reason !== undefined) {
      outcomes.push({ diverged: { reason, ...(refs && { end: await readRecord(trx, batch.userId, refs) }) } });
    } else if (gap !== undefined) {
      outcomes.push({ gap });
    } else {
      const headHash = cart.headHash ?? (await chainAll(trx, cart));
      if (headHash instanceof BrokenChainError) outcomes.push({ broken: headHash });
      else {
        const named = batch.after === undefined ? nameApart(fresh, usedIds.get(batch.userId) ?? new Set()) : fresh;
        if (fresh.length > 0) rows.push(foldDecisions({ ...cart, headHash }, named));
        outcomes.push({ added: fresh.length });
      }
    }
  }
  if (rows.length > 0) await writeRows(trx, rows);
  return outcomes;
}

/**
 * As `projectBatches`, for decisions of one cart.
 * @returns how many were new.
 * @throws ForkError, GapError or BrokenChainError.
 */
export async function project(
  trx: Knex.Transaction,
  userId: string,
  decisions: readonly RecordedDecision[],
): Promise<number> {
  const [outcome] = await projectBatches(trx, [{ userId, decisions }]);
  if ('gap' in outcome!) throw outcome.gap;
  if ('broken' in outcome!) throw outcome.broken;
  if ('diverged' in outcome!) throw new ForkError(`Cart ${userId}: ${outcome.diverged.reason}.`);
  return outcome!.added;
}

type LockedCarts = ReadonlyMap<string, LockedCart>;

/** Compares batches that do not name the decision they follow on with what the log has in their places. */
async function findForks(
  trx: Knex.Transaction,
  batches: readonly Batch[],
  carts: LockedCarts,
): Promise<ReadonlyMap<Batch, string>> {
  const repeated = batches.filter(
    ({ userId, decisions, after }) => after === undefined && decisions[0]!.sequence <= carts.get(userId)!.sequence,
  );
  const forks = new Map<Batch, string>();
  if (repeated.length === 0) return forks;
  const known = repeated.map(({ userId, decisions }) => ({
    userId,
    decisions: decisions.filter(({ sequence }) => sequence <= carts.get(userId)!.sequence),
  }));
  const stored = await readStoredParts(trx, known);
  for (const [index, batch] of repeated.entries()) {
    const [difference] = compareLog(stored[index]!.part, known[index]!.decisions);
    if (difference !== undefined) forks.set(batch, difference);
  }
  return forks;
}

function findGap({ userId, sequence }: LockedCart, fresh: readonly RecordedDecision[]): GapError | undefined {
  const late = fresh.find((decision, index) => decision.sequence !== sequence + 1 + index);
  if (late === undefined) return undefined;
  return new GapError(
    `Postgres has ${sequence} decisions of cart ${userId}; decision ${late.sequence} cannot follow. ` +
      'Postgres has lost some, as after restoring an older backup.',
    sequence,
  );
}

/** The first decision that is another one on record, or whose command is on record already, in words. */
function findOtherDecision(
  { sequence }: LockedCart,
  { decisions, after }: Batch,
  fresh: readonly RecordedDecision[],
  recorded: readonly RecordedRef[],
): string | undefined {
  const isRecorded = (ref: DecisionRef) => recorded.some((there) => isSameDecision(there, ref));
  const expected = [...(after ? [after] : []), ...decisions.map(refOf)];
  const other = expected.find((ref) => ref.sequence <= sequence && !isRecorded(ref));
  if (other !== undefined) return `decision ${other.sequence} is another one on record`;
  const used = recorded.find(isUsedBy(fresh));
  return used && `the command ${used.commandId} is decision ${used.sequence} on record`;
}

/** Why the events of decisions that directly follow on the record do not continue its versions, in words. */
function findVersionBreak({ cart, sequence }: LockedCart, fresh: readonly RecordedDecision[]): string | undefined {
  if (fresh[0]?.sequence !== sequence + 1) return undefined;
  const firstVersion = fresh.flatMap(({ events }) => events).at(0)?.version;
  if (firstVersion === undefined || firstVersion === cart.version + 1) return undefined;
  return `the record is at version ${cart.version} after ${sequence} decisions, the batch begins with version ${firstVersion}`;
}

/** Whether a recorded command has the id of one of these decisions, or rejected the same reuse of an id. */
function isUsedBy(decisions: readonly RecordedDecision[]): (recorded: RecordedRef) => boolean {
  const ids = new Set(decisions.map(({ command }) => command.commandId));
  const reuses = new Set(
    decisions.filter(isReuse).map(({ command }) => reuseOf(command.commandId, fingerprintOf(command))),
  );
  return ({ commandId, fingerprint, isReuse: isRecordedReuse }) =>
    ids.has(commandId) || (isRecordedReuse && reuses.has(reuseOf(commandId, fingerprint)));
}

/** Where the record ends, remembering those commands of the batch that are on record, however old. */
async function readRecord(trx: Knex.Transaction, userId: string, recorded: readonly RecordedRef[]): Promise<RecordEnd> {
  const { checkpoint, ...end } = await readRecordEndIn(trx, userId);
  const found = toRemembered(recorded);
  const remembered = {
    recentCommandIds: [...checkpoint.recentCommandIds, ...found.recentCommandIds],
    recentFingerprints: [...(checkpoint.recentFingerprints ?? []), ...found.recentFingerprints],
  };
  return { ...end, checkpoint: { ...checkpoint, ...remembered } };
}
