import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import { hex } from '../log/rows';

/** New random salts for these users, as JSON for a statement. */
export const newSalts = (userIds: readonly string[]): string =>
  JSON.stringify(userIds.map((userId) => ({ user_id: userId, salt: hex(randomBytes(16)) })));

/** Gives these users a salt who have none. */
export async function ensureSalts(trx: Knex, userIds: readonly string[]): Promise<void> {
  await trx.raw(insertSalts, [newSalts([...new Set(userIds)])]).options({ name: 'insert-salts' });
}

/** Reads the salts of these users, by user; without those who have none. */
export async function readSalts(db: Knex, userIds: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
  const rows = await db('cart_users').select('user_id', 'salt').whereIn('user_id', userIds);
  return new Map(rows.map((row) => [row.user_id, row.salt]));
}

const insertSalts = `
  insert into cart_users (user_id, salt)
  select user_id, salt from jsonb_to_recordset(?::jsonb) as new (user_id text, salt bytea) order by user_id
  on conflict do nothing`;
