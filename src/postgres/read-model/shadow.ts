import type { Knex } from 'knex';
import { readLogs } from '../log/read-logs';
import { buildReadModel } from './build';
import { replaceReadModels } from './replace';
import { readModelDefinition, readModelTables } from './tables';

/** The schema of the shadow tables, which a rebuild fills while the tables in use stay as they are. */
const schema = 'rebuild';

/**
 * Creates empty shadow tables, which belong to the owner of the log. If a killed rebuild left shadow tables, they are
 * used again.
 */
export async function createShadow(db: Knex): Promise<void> {
  await db.transaction(async (trx) => {
    const existing = await trx('pg_namespace').where({ nspname: schema }).first();
    if (existing !== undefined) return;
    await trx.raw(`create schema ${schema}; set local search_path = ${schema}, public; ${readModelDefinition}`);
    const owned = [`schema ${schema}`, ...readModelTables.map((table) => `table ${schema}.${table}`)];
    const { owner } = await trx('pg_tables')
      .where({ schemaname: 'public', tablename: 'cart_events' })
      .first('tableowner as owner');
    for (const item of owned) await trx.raw(`alter ${item} owner to ??`, [owner]);
  });
}

/** Reads the number of decisions that each of these users' carts has in the shadow. */
export async function readShadowSequences(db: Knex, userIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const rows = await db(`${schema}.carts`).select('user_id', 'sequence').whereIn('user_id', userIds);
  return new Map(rows.map((row) => [row.user_id, row.sequence]));
}

/** Builds these users' carts in the shadow from the log, in one transaction. @returns the number of their events. */
export async function buildInShadow(db: Knex, userIds: readonly string[]): Promise<number> {
  return db.transaction(async (trx) => {
    const logs = await readLogs(trx, userIds);
    const alreadyBuilt = await trx(`${schema}.carts`).whereIn('user_id', userIds).pluck('user_id');
    await replaceReadModels(trx, schema, alreadyBuilt, logs.map(buildReadModel));
    return logs.reduce((sum, log) => sum + log.events.length, 0);
  });
}

/**
 * Stops projections until the end of the transaction, and removes the transaction's time limits. Projections wait,
 * because they lock rows of the locked tables. Reads continue.
 */
export async function stopProjections(trx: Knex.Transaction): Promise<void> {
  await trx.raw('set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0');
  if (await exists(trx, 'carts')) await trx.raw('lock table public.carts in exclusive mode');
  await trx.raw('lock table cart_commands in share row exclusive mode');
}

/** Lists the users whose carts differ between the shadow and the tables in use, in order of user id. */
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

/**
 * Replaces the tables in use with the shadow tables, and keeps what is granted on them. It locks in the same order as
 * readers, to prevent deadlocks.
 */
export async function swapShadow(trx: Knex.Transaction): Promise<void> {
  const found: string[] = [];
  for (const table of readModelTables) {
    if (!(await exists(trx, table))) continue;
    await trx.raw(`lock table public.${table} in access exclusive mode`);
    found.push(table);
  }
  await copyGrants(trx, found);
  for (const table of [...readModelTables].reverse()) await trx.raw(`drop table if exists public.${table}`);
  for (const table of readModelTables) await trx.raw(`alter table ${schema}.${table} set schema public`);
  await trx.raw(`drop schema ${schema}`);
  if (found.length < readModelTables.length) await trx.raw('select grant_cart_roles()');
}

async function copyGrants(trx: Knex.Transaction, tables: string[]): Promise<void> {
  const { rows } = await trx.raw(grants, [tables]);
  for (const { privilege, table, role, option } of rows) {
    await trx.raw(`grant ${privilege} on ${schema}.${table} to ${role} ${option}`);
  }
}

/** What others than the owner may do with tables and with single columns. */
const grants = `
  with tables as (
    select oid, relname as table, relowner, relacl from pg_class
    where relnamespace = 'public'::regnamespace and relname = any (?)
  ), granted as (
    select tables.table, relowner, '' as columns, acl.* from tables, aclexplode(relacl) as acl
    union all
    select tables.table, relowner, format('(%I)', attname), acl.*
    from tables join pg_attribute on attrelid = tables.oid, aclexplode(attacl) as acl
  )
  select privilege_type || columns as privilege, "table",
         case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end as role,
         case when is_grantable then 'with grant option' else '' end as option
  from granted where grantee <> relowner`;

async function exists(trx: Knex, table: string): Promise<boolean> {
  const { rows } = await trx.raw('select to_regclass(?) is not null as exists', [`public.${table}`]);
  return rows[0].exists;
}
