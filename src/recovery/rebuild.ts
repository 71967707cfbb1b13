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
import { forEachAtOnce } from '../temporal/histories/each';

/** How much a rebuild has done so far. */
export type RebuildProgress = Omit<RebuildResult, 'differed'>;

const decisionsAtOnce = 20_000;
const cartsAtOnce = 200;
/** With two batches, Postgres writes one while Node.js folds the other. */
const batchesAtOnce = 2;
const maxPasses = 5;

/**
 * Rebuilds the complete read model from the log in Postgres. It fills shadow tables and then replaces the tables in use
 * with them in one transaction. Commands and queries continue. Projections wait during that transaction. After a kill,
 * the next call continues. The tables in use may be damaged or missing.
 */
export async function rebuildAll(db: Knex, onProgress: (progress: RebuildProgress) => void): Promise<RebuildResult> {
  await createShadow(db);
  let done: RebuildProgress = { carts: 0, events: 0 };
  const runPass = async (connection: Knex, atOnce: number) => {
    const before = done;
    await forEachAtOnce(listOutdated(connection), atOnce, async (userIds) => {
      const events = await buildInShadow(connection, userIds);
      done = { carts: done.carts + userIds.length, events: done.events + events };
      onProgress(done);
    });
    return done.carts - before.carts;
  };
  // Each pass builds the carts that changed during the previous pass. So few are left while projections wait.
  for (let pass = 0; pass < maxPasses; pass += 1) {
    const builtCarts = await runPass(db, batchesAtOnce);
    if (builtCarts < cartsAtOnce) break;
  }
  const differed = await db.transaction(async (trx) => {
    await stopProjections(trx);
    await runPass(trx, 1);
    const users = await listDifferingUsers(trx);
    await swapShadow(trx);
    return users;
  });
  return { ...done, differed };
}

/** Lists the users whose carts have fewer decisions in the shadow than in the log, in batches of limited size. */
async function* listOutdated(db: Knex): AsyncGenerator<string[]> {
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
  let decisionCount = 0;
  for (const { userId, sequence } of carts) {
    if (batch.length > 0 && decisionCount + sequence > decisionsAtOnce) {
      yield batch;
      [batch, decisionCount] = [[], 0];
    }
    batch.push(userId);
    decisionCount += sequence;
  }
  if (batch.length > 0) yield batch;
}
