import type { Knex } from 'knex';
import { type ReadModel, readModelDefinition, readModelTables } from '../postgres/read-model';
import { forEachAtOnce } from './each';
import { listLoggedCarts, modelOf, readLogs } from './log';
import { readModelRows } from './verify';

/** How far a rebuild is. */
export interface Progress {
  readonly carts: number;
  readonly events: number;
}

/** What a rebuild did. `differed`: the carts whose read model was not what the log says. */
export interface RebuildResult extends Progress {
  readonly differed: readonly string[];
}

const eventsAtOnce = 20_000;
const cartsAtOnce = 200;
/** Postgres writes one while Node folds the other. */
const batchesAtOnce = 2;

/**
 * Builds the whole read model anew from the copy of the log, beside the one in use, and then puts it in that one's place in
 * one transaction. Commands and queries go on meanwhile; projections wait for a moment at the end. Where an earlier call was
 * killed this one goes on. The read model in use may be damaged or missing.
 */
export async function rebuildAll(db: Knex, onProgress: (progress: Progress) => void): Promise<RebuildResult> {
  await prepareShadow(db);
  let done: Progress = { carts: 0, events: 0 };
  const fill = async (from: Knex, atOnce: number) => {
    const before = done;
    await forEachAtOnce(staleBatches(from), atOnce, async (userIds) => {
      const events = await buildCarts(from, userIds);
      done = { carts: done.carts + userIds.length, events: done.events + events };
      onProgress(done);
    });
    return done.carts - before.carts;
  };
  // Each pass takes what changed during the one before, until little is left to do while projections wait.
  for (let pass = 0; pass < 5; pass += 1) if ((await fill(db, batchesAtOnce)) < cartsAtOnce) break;
  const differed = await db.transaction(async (trx) => {
    await trx.raw('set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0');
    await stopProjections(trx);
    await fill(trx, 1);
    const users = await differingCarts(trx);
    await swap(trx);
    return users;
  });
  return { ...done, differed };
}

/** Builds the read model of one cart anew, in place and in one transaction. @returns undefined where it has no log. */
export async function rebuildCart(db: Knex, userId: string): Promise<RebuildResult | undefined> {
  return db.transaction(async (trx) => {
    await trx('carts').where({ user_id: userId }).forUpdate().first();
    const [log] = await readLogs(trx, [userId]);
    if (log === undefined || log.commands.length === 0) return undefined;
    const before = await modelText(trx, userId);
    await remove(trx, 'public', userId);
    await insert(trx, 'public', [modelOf(log)]);
    const after = await modelText(trx, userId);
    return { carts: 1, events: log.events.length, differed: before === after ? [] : [userId] };
  });
}

const modelText = async (trx: Knex, userId: string): Promise<string> =>
  JSON.stringify(await readModelRows(trx, userId));

const schema = 'rebuild';

async function prepareShadow(db: Knex): Promise<void> {
  await db.transaction(async (trx) => {
    const there = await trx('pg_namespace').where({ nspname: schema }).first();
    if (there !== undefined) return;
    await trx.raw(`create schema ${schema}; set local search_path = ${schema}, public; ${readModelDefinition}`);
  });
}

/** The carts whose shadow is not at the log's end, in batches of bearable size. */
async function* staleBatches(db: Knex): AsyncGenerator<string[]> {
  for await (const page of listLoggedCarts(db, cartsAtOnce)) yield* await staleBatchesOf(db, page);
}

async function staleBatchesOf(
  db: Knex,
  page: readonly { readonly userId: string; readonly sequence: number }[],
): Promise<string[][]> {
  const built = await db(`${schema}.carts`)
    .select('user_id', 'sequence')
    .whereIn(
      'user_id',
      page.map((cart) => cart.userId),
    );
  const at = new Map(built.map((row) => [row.user_id, row.sequence]));
  const batches: string[][] = [];
  let size = eventsAtOnce;
  for (const { userId, sequence } of page) {
    if (at.get(userId) === sequence) continue;
    if (size + sequence > eventsAtOnce) {
      batches.push([]);
      size = 0;
    }
    batches.at(-1)!.push(userId);
    size += sequence;
  }
  return batches;
}

/** Builds these carts in the shadow, in one transaction. @returns the number of their events. */
async function buildCarts(db: Knex, userIds: readonly string[]): Promise<number> {
  return db.transaction(async (trx) => {
    const logs = await readLogs(trx, userIds);
    for (const { user_id } of await trx(`${schema}.carts`).select('user_id').whereIn('user_id', userIds)) {
      await remove(trx, schema, user_id);
    }
    await insert(trx, schema, logs.map(modelOf));
    return logs.reduce((sum, log) => sum + log.events.length, 0);
  });
}

async function remove(trx: Knex, from: string, userId: string): Promise<void> {
  for (const table of [...readModelTables].reverse()) await trx(`${from}.${table}`).where({ user_id: userId }).delete();
}

async function insert(trx: Knex, into: string, models: readonly ReadModel[]): Promise<void> {
  for (const table of readModelTables) {
    const rows = models.flatMap((model) => model[table]);
    if (rows.length === 0) continue;
    await trx.raw(
      `insert into ${into}.${table} select * from jsonb_populate_recordset(null::${into}.${table}, ?::jsonb)`,
      [JSON.stringify(rows)],
    );
  }
}

/** Projections lock their cart's row; from here to the end of the transaction none can. Reads go on. */
async function stopProjections(trx: Knex.Transaction): Promise<void> {
  if (await isThere(trx, 'carts')) await trx.raw('lock table public.carts in exclusive mode');
  await trx.raw('lock table cart_commands in share row exclusive mode');
}

async function differingCarts(trx: Knex.Transaction): Promise<string[]> {
  const users = new Set<string>();
  for (const table of readModelTables) {
    if (!(await isThere(trx, table))) continue;
    const { rows } = await trx.raw(
      `select user_id from ((table public.${table} except table ${schema}.${table})
                            union all (table ${schema}.${table} except table public.${table})) as difference`,
    );
    for (const { user_id } of rows) users.add(user_id);
  }
  return [...users].sort();
}

/** Locks in the order in which readers do, who would otherwise wait for us while we wait for them. */
async function swap(trx: Knex.Transaction): Promise<void> {
  for (const table of readModelTables) {
    if (await isThere(trx, table)) await trx.raw(`lock table public.${table} in access exclusive mode`);
  }
  for (const table of [...readModelTables].reverse()) await trx.raw(`drop table if exists public.${table}`);
  for (const table of readModelTables) await trx.raw(`alter table ${schema}.${table} set schema public`);
  await trx.raw(`drop schema ${schema}`);
}

async function isThere(trx: Knex, table: string): Promise<boolean> {
  const { rows } = await trx.raw('select to_regclass(?) is not null as is_there', [`public.${table}`]);
  return rows[0].is_there;
}
