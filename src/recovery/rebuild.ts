import type { Knex } from 'knex';
import { listLoggedCarts } from '../postgres/log/read-logs';
import type { RebuildResult } from '../postgres/read-model/rebuild-cart';
import {
  buildInShadow,
  createShadow,
  listDifferingUsers,
  readShadowSequences,
  stopProjections,
  swapShadow,
} from '../postgres/read-model/shadow';
import { forEachAtOnce } from './each';

/** How much a rebuild has done. */
export type RebuildProgress = Omit<RebuildResult, 'differed'>;

const eventsAtOnce = 20_000;
const cartsAtOnce = 200;
/** Postgres writes one batch while Node folds the other. */
const batchesAtOnce = 2;
const passesAtMost = 5;

/**
 * Builds the whole read model anew from the log in Postgres, in shadow tables beside those in use, and swaps them in one
 * transaction. Commands and queries continue meanwhile; projections wait for a moment at the end. A call after one that was
 * killed continues where that one stopped. The read model in use may be damaged or missing.
 */
export async function rebuildAll(db: Knex, onProgress: (progress: RebuildProgress) => void): Promise<RebuildResult> {
  await createShadow(db);
  let done: RebuildProgress = { carts: 0, events: 0 };
  const fill = async (from: Knex, atOnce: number) => {
    const before = done;
    await forEachAtOnce(staleBatches(from), atOnce, async (userIds) => {
      const events = await buildInShadow(from, userIds);
      done = { carts: done.carts + userIds.length, events: done.events + events };
      onProgress(done);
    });
    return done.carts - before.carts;
  };
  // Each pass takes what changed during the one before, until little is left to do while projections wait.
  for (let pass = 0; pass < passesAtMost; pass += 1) if ((await fill(db, batchesAtOnce)) < cartsAtOnce) break;
  const differed = await db.transaction(async (trx) => {
    await stopProjections(trx);
    await fill(trx, 1);
    const users = await listDifferingUsers(trx);
    await swapShadow(trx);
    return users;
  });
  return { ...done, differed };
}

/** The users whose carts the shadow does not have as far as the log has them, in batches of bounded size. */
async function* staleBatches(db: Knex): AsyncGenerator<string[]> {
  for await (const page of listLoggedCarts(db, cartsAtOnce)) {
    const built = await readShadowSequences(
      db,
      page.map(({ userId }) => userId),
    );
    yield* inBatches(page.filter(({ userId, sequence }) => built.get(userId) !== sequence));
  }
}

function* inBatches(carts: readonly { readonly userId: string; readonly sequence: number }[]): Generator<string[]> {
  let batch: string[] = [];
  let size = 0;
  for (const { userId, sequence } of carts) {
    if (batch.length > 0 && size + sequence > eventsAtOnce) {
      yield batch;
      [batch, size] = [[], 0];
    }
    batch.push(userId);
    size += sequence;
  }
  if (batch.length > 0) yield batch;
}
