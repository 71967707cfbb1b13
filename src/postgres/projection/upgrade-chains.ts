import type { Knex } from 'knex';
import { recordFork } from '../log/forks';
import { listLoggedCarts } from '../log/read-logs';
import { BrokenChainError, chainNext } from './chain-log';
import { ensureSalts, readSalts } from './salts';

/** What an upgrade did. */
export interface ChainUpgrade {
  /** How many carts got hashes for decisions that had none. */
  readonly carts: number;
  /** The carts whose log was changed before there was a chain over decisions. They are parked. */
  readonly broken: readonly { readonly userId: string; readonly reason: string }[];
}

const cartsPerPage = 1_000;

/**
 * Gives hashes to the decisions that have none, of all carts, in transactions of limited size. Projections and workers
 * of an older version go on meanwhile. It can be stopped and called again at any time.
 */
export async function upgradeChains(db: Knex, signal: AbortSignal): Promise<ChainUpgrade> {
  let carts = 0;
  const broken: { userId: string; reason: string }[] = [];
  for await (const page of listLoggedCarts(db, cartsPerPage)) {
    for (const userId of await findUnhashed(
      db,
      page.map((cart) => cart.userId),
    )) {
      if (signal.aborted) return { carts, broken };
      const error = await upgradeCart(db, userId);
      if (error === undefined) carts += 1;
      else broken.push({ userId, reason: error.message });
    }
  }
  return { carts, broken };
}

/** Only the last decisions of a cart can be without a hash: a decision gets one after all those before it. */
async function findUnhashed(db: Knex, userIds: readonly string[]): Promise<string[]> {
  const { rows } = await db.raw(unhashedCarts, [[...userIds]]);
  return rows.map((row: { user_id: string }) => row.user_id);
}

async function upgradeCart(db: Knex, userId: string): Promise<BrokenChainError | undefined> {
  await ensureSalts(db, [userId]);
  const salt = (await readSalts(db, [userId])).get(userId)!;
  for (;;) {
    const chained = await db.transaction(async (trx) => {
      await trx('carts').where({ user_id: userId }).forUpdate().first('user_id');
      const next = await chainNext(trx, { userId, salt });
      if (!(next instanceof BrokenChainError) && next.isDone) {
        await trx.raw(setHead, { userId, headHash: next.headHash });
      }
      return next;
    });
    if (chained instanceof BrokenChainError) {
      const runId = await db('cart_commands').where({ user_id: userId }).orderBy('sequence', 'desc').first('run_id');
      await recordFork(db, { userId, runId: runId.run_id, message: chained.message, isLasting: true });
      return chained;
    }
    if (chained.isDone) return undefined;
  }
}

const unhashedCarts = `
  select asked.user_id from unnest(?::text[]) as asked (user_id)
  cross join lateral (
    select hash from cart_commands c where c.user_id = asked.user_id order by sequence desc limit 1
  ) as last
  where last.hash is null order by asked.user_id`;

const setHead = 'update carts set head_hash = :headHash where user_id = :userId';
