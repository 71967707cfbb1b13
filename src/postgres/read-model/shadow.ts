import type { Knex } from 'knex';
import { readLogs } from '../log/read-logs';
import { buildReadModel } from './build';
import { replaceReadModels } from './replace';
import { readModelDefinition, readModelTables } from './tables';

/** The schema in which a rebuild fills tables beside those in use. */
const schema = 'rebuild';

/** Creates empty shadow tables. Where a rebuild that was killed left some, they stay. */
export async function createShadow(db: Knex): Promise<void> {
  await db.transaction(async (trx) => {
    const there = await trx('pg_namespace').where({ nspname: schema }).first();
    if (there !== undefined) return;
    await trx.raw(`create schema ${schema}; set local search_path = ${schema}, public; ${readModelDefinition}`);
  });
}

/** The number of decisions that the shadow has of each of these users' carts. */
export async function readShadowSequences(db: Knex, userIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const rows = await db(`${schema}.carts`).select('user_id', 'sequence').whereIn('user_id', userIds);
  return new Map(rows.map((row) => [row.user_id, row.sequence]));
}

/** Builds these users' carts in the shadow from the log, in one transaction. @returns the number of their events. */
export async function buildInShadow(db: Knex, userIds: readonly string[]): Promise<number> {
  return db.transaction(async (trx) => {
    const logs = await readLogs(trx, userIds);
    const stale = await trx(`${schema}.carts`).whereIn('user_id', userIds).pluck('user_id');
    await replaceReadModels(trx, schema, stale, logs.map(buildReadModel));
    return logs.reduce((sum, log) => sum + log.events.length, 0);
  });
}

/**
 * Stops projections until the end of the transaction, which then has no time limit. Projections lock their cart's row, so
 * they wait. Reads continue.
 */
export async function stopProjections(trx: Knex.Transaction): Promise<void> {
  await trx.raw('set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0');
  if (await exists(trx, 'carts')) await trx.raw('lock table public.carts in exclusive mode');
  await trx.raw('lock table cart_commands in share row exclusive mode');
}

/** The users whose carts differ between the shadow and the tables in use, in order of user id. */
export async function listDifferingUsers(trx: Knex.Transaction): Promise<string[]> {
  const users = new Set<string>();
  for (const table of readModelTables) {
    if (!(await exists(trx, table))) continue;
    const { rows } = await trx.raw(
      `select user_id from ((table public.${table} except table ${schema}.${table})
                            union all (table ${schema}.${table} except table public.${table})) as difference`,
    );
    for (const { user_id } of rows) users.add(user_id);
  }
  return [...users].sort();
}

/** Puts the shadow in the place of the tables in use. It locks in the readers' order, so that no reader deadlocks with it. */
export async function swapShadow(trx: Knex.Transaction): Promise<void> {
  for (const table of readModelTables) {
    if (await exists(trx, table)) await trx.raw(`lock table public.${table} in access exclusive mode`);
  }
  for (const table of [...readModelTables].reverse()) await trx.raw(`drop table if exists public.${table}`);
  for (const table of readModelTables) await trx.raw(`alter table ${schema}.${table} set schema public`);
  await trx.raw(`drop schema ${schema}`);
}

async function exists(trx: Knex, table: string): Promise<boolean> {
  const { rows } = await trx.raw('select to_regclass(?) is not null as exists', [`public.${table}`]);
  return rows[0].exists;
}
