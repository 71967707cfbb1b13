import type { Knex } from 'knex';
import type { Batch } from '../../contract/activities';
import { type BatchOutcome, projectBatches } from './project';

const groupsAtOnce = 2;
const batchesPerGroup = 50;

interface Waiting {
  readonly batch: Batch;
  readonly done: (outcome: BatchOutcome) => void;
  readonly failed: (error: unknown) => void;
}

/** Projects a batch of one cart. @throws Error where Postgres cannot be reached or refuses. */
export type Projector = (batch: Batch) => Promise<BatchOutcome>;

/**
 * A projector that commits in groups: the batches of many carts which come while others are being written go together in
 * the next transaction, so that a busy worker needs few of them and an idle one waits for none.
 */
export function createProjector(db: Knex): Projector {
  const queue: Waiting[] = [];
  const underWay = new Set<string>();
  let running = 0;

  /** One batch of each cart, and none of a cart that another group has: it must come after that one. */
  const takeGroup = (): Waiting[] => {
    const group = new Map<string, Waiting>();
    const later: Waiting[] = [];
    for (const waiting of queue.splice(0)) {
      const { userId } = waiting.batch;
      const isLater = group.size === batchesPerGroup || group.has(userId) || underWay.has(userId);
      if (isLater) later.push(waiting);
      else group.set(userId, waiting);
    }
    queue.push(...later);
    return [...group.values()];
  };
  const commit = (batches: readonly Batch[]) => db.transaction((trx) => projectBatches(trx, batches));
  const commitAlone = ({ batch, done, failed }: Waiting) => commit([batch]).then(([outcome]) => done(outcome!), failed);
  const commitGroup = async (group: readonly Waiting[]) => {
    try {
      const outcomes = await commit(group.map(({ batch }) => batch));
      for (const [index, { done }] of group.entries()) done(outcomes[index]!);
    } catch (error) {
      if (group.length === 1) group[0]!.failed(error);
      // One cart that Postgres refuses must not hold up the others.
      else await Promise.all(group.map(commitAlone));
    }
  };
  const run = async () => {
    running += 1;
    for (let group = takeGroup(); group.length > 0; group = takeGroup()) {
      for (const { batch } of group) underWay.add(batch.userId);
      await commitGroup(group);
      for (const { batch } of group) underWay.delete(batch.userId);
    }
    running -= 1;
  };

  return (batch) =>
    new Promise((done, failed) => {
      queue.push({ batch, done, failed });
      if (running < groupsAtOnce) void run();
    });
}
