import type { Knex } from 'knex';
import { emptyCart } from '../../domain/state';
import type { CartLog } from '../log/compare-log';
import { genesisHash } from '../log/hash-chain';
import { foldDecisions } from './fold';
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
    const carts = logs
      .filter(({ userId }) => claimed.has(userId))
      .map(({ userId, decisions }) =>
        foldDecisions({ userId, sequence: 0, headHash: genesisHash, cart: emptyCart }, decisions),
      );
    if (carts.length > 0) await writeRows(trx, carts);
    return claimed;
  });
}

/** The first transaction that inserts a cart's row holds its lock, as a projection does. The others get no row back. */
const claimCarts = `
  insert into carts (user_id) select unnest(?::text[]) as user_id order by 1 on conflict do nothing returning user_id`;
