import type { Knex } from 'knex';
import type { Batch } from '../../contract/activities';
import { type BatchOutcome, projectBatches } from './project';

const groupsAtOnce = 2;
const batchesPerGroup = 50;

interface QueuedBatch {
  readonly batch: Batch;
  readonly done: (outcome: BatchOutcome) => void;
  readonly failed: (error: unknown) => void;
}

/** Projects a batch of one cart. @throws Error if Postgres is unreachable or rejects the batch. */
export type Projector = (batch: Batch) => Promise<BatchOutcome>;

/**
 * Creates a projector that commits in groups. Batches that arrive while other batches are written share the next
 * transaction. So a busy worker needs few transactions, and in an idle worker no batch waits.
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
    for (const queued of queue.splice(0)) {
      const { userId } = queued.batch;
      const isLater = group.size === batchesPerGroup || group.has(userId) || usersInProgress.has(userId);
      if (isLater) later.push(queued);
      else group.set(userId, queued);
    }
    queue.push(...later);
    return [...group.values()];
  };
  const commit = (batches: readonly Batch[]) => db.transaction((trx) => projectBatches(trx, batches));
  const commitAlone = ({ batch, done, failed }: QueuedBatch) =>
    commit([batch]).then(([outcome]) => done(outcome!), failed);
  const commitGroup = async (group: readonly QueuedBatch[]) => {
    try {
      const outcomes = await commit(group.map(({ batch }) => batch));
      for (const [index, { done }] of group.entries()) done(outcomes[index]!);
    } catch (error) {
      if (group.length === 1) group[0]!.failed(error);
      // One batch that Postgres rejects must not stop the others.
      else await Promise.all(group.map(commitAlone));
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

  return (batch) =>
    new Promise((done, failed) => {
      queue.push({ batch, done, failed });
      if (runningGroups < groupsAtOnce) void run();
    });
}
