import type { Knex } from 'knex';
import type { Batch } from '../../contract/activities';
import { isLockTimeout } from '../database';
import { type BatchOutcome, type LockedOutcome, projectBatches } from './project';

const groupsAtOnce = 2;
const batchesPerGroup = 50;
/** A batch that is larger goes alone, so that no other one waits for it. */
const decisionsPerGroup = 400;
/** How soon a batch is tried again whose cart another transaction has locked, and for how long. */
const retryLocked = { afterMs: 100, forMs: 7_000 };

interface QueuedBatch {
  readonly batch: Batch;
  readonly queuedAt: number;
  readonly done: (outcome: BatchOutcome) => void;
  readonly failed: (error: unknown) => void;
  readonly signal: AbortSignal | undefined;
}

/**
 * Projects a batch of one cart.
 * @param signal gives it up, as long as it waits for its turn.
 * @throws Error if Postgres is unreachable, rejects the batch, or if another transaction keeps the cart locked.
 */
export type Projector = (batch: Batch, signal?: AbortSignal) => Promise<BatchOutcome>;

/**
 * Creates a projector that commits in groups. Batches that arrive while other batches are written share the next
 * transaction. So a busy worker needs few transactions, and in an idle worker no batch waits. A batch never waits for
 * another cart: one that is locked is left out and tried again, and one that Postgres rejects fails alone.
 */
export function createProjector(db: Knex): Projector {
  const queue: QueuedBatch[] = [];
  const usersInProgress = new Set<string>();
  let runningGroups = 0;

  /**
   * Takes one batch per cart, and none of a cart that another group is writing, because a cart's batches have an order.
   */
  const takeGroup = (): QueuedBatch[] => {
    const group = new Map<string, QueuedBatch>();
    const later: QueuedBatch[] = [];
    let decisions = 0;
    for (const queued of queue.splice(0)) {
      if (queued.signal?.aborted) {
        queued.failed(queued.signal.reason);
        continue;
      }
      const { userId } = queued.batch;
      const size = queued.batch.decisions.length;
      const isFull = group.size === batchesPerGroup || (group.size > 0 && decisions + size > decisionsPerGroup);
      if (isFull || group.has(userId) || usersInProgress.has(userId)) later.push(queued);
      else {
        group.set(userId, queued);
        decisions += size;
      }
    }
    queue.push(...later);
    return [...group.values()];
  };
  const settle = (queued: QueuedBatch, outcome: BatchOutcome | LockedOutcome) => {
    if ('isLocked' in outcome) tryAgain(queued);
    else queued.done(outcome);
  };
  const tryAgain = (queued: QueuedBatch) => {
    if (Date.now() - queued.queuedAt < retryLocked.forMs) setTimeout(() => enqueue(queued), retryLocked.afterMs);
    else queued.failed(new Error(`Another transaction has locked cart ${queued.batch.userId}.`));
  };
  const commitGroup = async (group: readonly QueuedBatch[]): Promise<void> => {
    const batches = group.map(({ batch }) => batch);
    try {
      const outcomes = await db.transaction((trx) => projectBatches(trx, batches, 'skip'));
      for (const [index, queued] of group.entries()) settle(queued, outcomes[index]!);
    } catch (error) {
      const [only] = group;
      if (group.length > 1) {
        // Nothing was written. The halves find the batch that Postgres rejects, and write the others.
        const middle = group.length >> 1;
        await commitGroup(group.slice(0, middle));
        await commitGroup(group.slice(middle));
      } else if (isLockTimeout(error)) tryAgain(only!);
      else only!.failed(error);
    }
  };
  const run = async () => {
    runningGroups += 1;
    for (let group = takeGroup(); group.length > 0; group = takeGroup()) {
      for (const { batch } of group) usersInProgress.add(batch.userId);
      await commitGroup(group);
      for (const { batch } of group) usersInProgress.delete(batch.userId);
    }
    runningGroups -= 1;
  };
  const enqueue = (queued: QueuedBatch) => {
    queue.push(queued);
    if (runningGroups < groupsAtOnce) void run();
  };

  return (batch, signal) =>
    new Promise((done, failed) => enqueue({ batch, queuedAt: Date.now(), done, failed, signal }));
}
