import type { Knex } from 'knex';
import { connectDatabase } from '../../src/postgres/database';
import { rebuildAll } from '../../src/recovery/rebuild';
import { createDatabase, type TestDatabase } from '../support/database';
import { until } from '../support/until';

let database: TestDatabase;
let db: Knex;
beforeEach(async () => {
  database = await createDatabase();
  db = database.db;
});
afterEach(() => database.drop());

const insertPeriods = (from: number, to: number, users: string) =>
  db.raw(
    `insert into cart_item_history
     select ${users}, n::text, 'Pen', 1, 100, 'EUR', now(), n, int4range(n, n + 1), tstzrange(now(), null)
     from generate_series(?::integer, ?::integer) as n`,
    [from, to],
  );

/** The rows that the index of periods finds, and those that the table has. */
async function countRows(): Promise<{ found: number; there: number }> {
  return db.transaction(async (trx) => {
    await trx.raw('set local enable_seqscan = off; set local enable_bitmapscan = off');
    const { rows } = await trx.raw(`
      select coalesce(sum(found), 0)::integer as found from unnest(array['u0', 'u1', 'u2', 'u3', 'u4']) as u,
      lateral (select count(*) as found from cart_item_history where user_id = u and versions @> lower(versions)) as of_user`);
    const [there] = await trx('cart_item_history').count('* as n').where('quantity', '>', 0);
    return { found: rows[0].found, there: Number(there!.n) };
  });
}

/** How many pages each GiST index has: one with a single page has a leaf as its root. */
const pagesOfIndexes = async () =>
  (
    await db.raw(`
      select c.oid::regclass::text as index, pg_relation_size(c.oid) / current_setting('block_size')::integer as pages
      from pg_class c join pg_am a on a.oid = c.relam where amname = 'gist' and relnamespace = 'public'::regnamespace`)
  ).rows as { index: string; pages: number }[];

it('no GiST index begins with a root that is a leaf, after the migration and after a rebuild', async () => {
  const indexes = await pagesOfIndexes();
  expect(indexes.map(({ index }) => index).sort()).toEqual(['cart_item_history_during', 'no_overlap']);
  expect(indexes.filter(({ pages }) => pages < 3)).toEqual([]);
  await rebuildAll(db, () => {});
  expect((await pagesOfIndexes()).filter(({ pages }) => pages < 3)).toEqual([]);
  expect(await countRows()).toEqual({ found: 0, there: 0 });
});

it('a statement that scans the periods again while others add many makes none of them unfindable', async () => {
  await insertPeriods(1, 100, "'u' || n % 5");
  await db('cart_item_history').where({ user_id: 'u1' }).delete();
  await insertPeriods(1_001, 1_002, "'u1'");
  await db.raw(`create function wait_for_others(n integer) returns text language plpgsql volatile as $$
    begin
      if n = 2 then
        perform pg_advisory_lock(1);
      end if;
      return 'u' || n % 5;
    end $$`);
  const [blocker, scanning] = ['blocker', 'scanning'].map((name) =>
    connectDatabase(database.url, { poolSize: 1, name }),
  );
  try {
    await blocker!.raw('select pg_advisory_lock(1)');
    await scanning!.raw('set enable_seqscan = off; set enable_bitmapscan = off; set enable_memoize = off');
    // The first scan finds the dead rows of u1. The second one begins when the others have written.
    const scanned = scanning!
      .raw(`
      select o.n, c.count from generate_series(1, 3) as o (n)
      cross join lateral (select wait_for_others(o.n) as u offset 0) as s
      cross join lateral (select count(*) from cart_item_history where user_id = s.u and versions @> lower(versions)) as c`)
      .then(() => undefined);
    const isWaiting = async () =>
      (await db('pg_stat_activity').where({ wait_event: 'advisory', datname: new URL(database.url).pathname.slice(1) }))
        .length > 0;
    await until('the statement waits', isWaiting);
    await insertPeriods(2_001, 2_300, "'u' || n % 5");
    await blocker!.raw('select pg_advisory_unlock(1)');
    await scanned;
    const { found, there } = await countRows();
    expect(found).toBe(there);
  } finally {
    await Promise.all([blocker!.destroy(), scanning!.destroy()]);
  }
});
