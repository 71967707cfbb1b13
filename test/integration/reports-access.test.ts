import { randomInt } from 'node:crypto';
import type { Knex } from 'knex';
import { connectDatabase } from '../../src/postgres/database';
import { up } from '../../src/postgres/migrations/0003-reports';
import { migrate } from '../../src/postgres/migrations/migrate';
import { createDatabase } from '../support/database';
import { openReportApi, type ReportApi } from '../support/report-api';

let api: ReportApi;
beforeAll(async () => {
  api = await openReportApi();
});
afterAll(() => api.close());

describe('the role cart_analyst', () => {
  const asAnalyst = (statement: string) =>
    api.database.db.transaction(async (trx): Promise<{ rows: { n: number }[] }> => {
      await trx.raw('set local role cart_analyst');
      return trx.raw(statement);
    });

  it.each([
    'select count(*)::integer as n from reports.item_changes',
    'select count(*)::integer as n from reports.checkouts',
    'select count(*)::integer as n from reports.checkout_lines',
    'select count(*)::integer as n from reports.line_history',
    "select count(*)::integer as n from reports.cart_lines_at('2030-02-10Z')",
    "select count(*)::integer as n from reports.summary_at('2030-02-10Z')",
    "select count(*)::integer as n from reports.open_carts_at('2030-02-10Z')",
    "select count(*)::integer as n from reports.longest_open_at('2030-02-10Z')",
    "select count(*)::integer as n from reports.value_over_time('2030-02-10Z', '2030-02-20Z')",
  ])('may %s', async (statement) => {
    expect((await asAnalyst(statement)).rows[0]!.n).toBeGreaterThan(0);
  });

  it.each([
    ...[
      'cart_events',
      'cart_commands',
      'carts',
      'cart_items',
      'cart_item_history',
      'cart_histories',
      'products',
      'migrations',
    ].map((table) => `select from public.${table}`),
    "update reports.checkouts set currency = 'EUR'",
    'delete from reports.item_changes',
    'insert into reports.checkouts (user_id) values (1)',
    'delete from reports.checkouts',
    'create table reports.mine (a integer)',
    'create table public.mine (a integer)',
    'create function reports.mine() returns integer language sql as $$ select 1 $$',
    'create schema mine',
    'drop view reports.checkouts',
  ])('may not %s', async (statement) => {
    await expect(asAnalyst(statement)).rejects.toThrow(/permission denied|must be owner|cannot (update|delete|insert)/);
  });

  it('is, beside that of the query APIs, the only role that may use the schema', async () => {
    const { rows } = await api.database.db.raw(
      `select distinct grantee::regrole::text from pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner)))
       where pronamespace = 'reports'::regnamespace and grantee <> proowner order by 1`,
    );
    expect(rows).toEqual([{ grantee: 'cart_analyst' }, { grantee: 'cart_reader' }]);
  });

  it('cannot replace the tables that the functions read', async () => {
    await api.database.db.transaction(async (trx) => {
      await trx.raw('set local role cart_analyst; create temp table cart_item_history (user_id text)');
      await trx.raw('set local search_path = pg_temp, public');
      expect(
        (await trx.raw("select carts from reports.summary_at('2030-02-10Z') limit 1")).rows[0].carts,
      ).toBeGreaterThan(0);
    });
  });
});

/** Drops what the migration of the reports creates, except for the role, which belongs to the whole cluster. */
const dropReports = (db: Knex) => db.raw('drop schema reports cascade; drop index cart_events_of_whole_carts');

describe('the schema of the reports', () => {
  it('can be created in several databases of a cluster at the same time, dropped, and created again', async () => {
    const databases = await Promise.all(Array.from({ length: 4 }, () => createDatabase({ migrated: false })));
    try {
      await Promise.all(databases.map(({ db }) => migrate(db)));
      await Promise.all(databases.map(({ db }) => dropReports(db)));
      expect(await databases[0]!.db('pg_namespace').where({ nspname: 'reports' })).toEqual([]);
      await Promise.all(databases.map(({ db }) => db.transaction(up)));
      expect(await databases[0]!.db('reports.checkouts')).toEqual([]);
    } finally {
      await Promise.all(databases.map((each) => each.drop()));
    }
  });

  it('can be created by a user who owns the database and may not create roles', async () => {
    const name = `owner_${randomInt(2 ** 31)}`;
    const mine = await createDatabase({ migrated: false });
    const url = Object.assign(new URL(mine.url), { username: name, password: 'secret' }).href;
    await mine.db.raw(`create role ${name} login password 'secret'`);
    await mine.db.raw(`alter database ${new URL(mine.url).pathname.slice(1)} owner to ${name}`);
    const owner = connectDatabase(url, { poolSize: 2, name: 'owner', queryTimeoutMs: 30_000 });
    try {
      await migrate(owner);
      expect((await owner.raw('select carts from reports.summary_at()')).rows).toEqual([{ carts: 0 }]);
    } finally {
      await owner.destroy();
      await mine.drop();
      await api.database.db.raw(`drop role ${name}`);
    }
  });
});
