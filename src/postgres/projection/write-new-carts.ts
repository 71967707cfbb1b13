import type { Knex } from 'knex';
import { emptyCart } from '../../domain/state';
import type { CartLog } from '../log/compare-log';
import { genesisOf } from '../log/hash-chain';
import { nameApart } from '../log/rows';
import { foldDecisions } from './fold';
import { ensureSalts, readSalts } from './salts';
import { writeRows } from './write';

/**
 * Writes carts that Postgres does not have yet, from their first decision. If another transaction writes one of the
 * carts at the same time, this one skips that cart.
 * @returns the users whose carts it wrote.
 */
export async function writeNewCarts(db: Knex, logs: readonly CartLog[]): Promise<ReadonlySet<string>> {
  return db.transaction(async (trx) => {
    const { rows } = await trx.raw(claimCarts, [logs.map(({ userId }) => userId)]).options({ name: 'claim-carts' });
    const claimed = new Set<string>(rows.map((row: { user_id: string }) => row.user_id));
    await ensureSalts(trx, [...claimed]);
    const salts = await readSalts(trx, [...claimed]);
    const carts = logs
      .filter(({ userId }) => claimed.has(userId))
      .map(({ userId, decisions }) => {
        const user = { userId, salt: salts.get(userId)! };
        const point = { ...user, headHash: genesisOf('decisions', user), cart: emptyCart };
        return foldDecisions(point, nameApart(decisions, new Set()));
      });
    if (carts.length > 0) await writeRows(trx, carts);
    return claimed;
  });
}

/** The first transaction that inserts a cart's row holds its lock, as a projection does. The others get no row back. */
const claimCarts = `
  insert into carts (user_id) select unnest(?::text[]) as user_id order by 1 on conflict do nothing returning user_id`;
