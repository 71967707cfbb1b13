import type { Knex } from 'knex';
import { emptyCart } from '../../domain/state';
import type { CartLog } from '../log/compare-log';
import { genesisHash } from '../log/hash-chain';
import { foldDecisions } from './fold';
import { writeRows } from './write';

/**
 * Writes carts of which Postgres has nothing, from their first decision on. A cart that another transaction writes at the
 * same moment is left to it.
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

/** The transaction that inserts a cart's row first holds it to its end, as a projection does by its lock. */
const claimCarts = `
  insert into carts (user_id) select unnest(?::text[]) as user_id order by 1 on conflict do nothing returning user_id`;
