import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Knex } from 'knex';
import { Client } from 'pg';
import { evolve } from '../../src/domain/evolve';
import { handle } from '../../src/domain/handle';
import { type Cart, emptyCart, itemCountOf, subtotalOf } from '../../src/domain/state';
import { readCheckpoint } from '../../src/postgres/log/checkpoint';
import { readLogs } from '../../src/postgres/log/read-logs';
import { migrate, migrationSource } from '../../src/postgres/migrations/migrate';
import { project } from '../../src/postgres/projection/project';
import { readPastCarts } from '../../src/queries/read-past-cart';
import { rebuildAll } from '../../src/recovery/rebuild';
import { verifyCart } from '../../src/recovery/verify';
import { asProjected } from '../../src/temporal/histories/read-decisions';
import { add, command } from '../support/cart-story';
import { createDatabase, type TestDatabase } from '../support/database';
import { readModelText } from '../support/model-tables';

const folder = path.resolve(__dirname, '../upgrades');
const schemas = readdirSync(folder)
  .filter((file) => file.endsWith('.sql'))
  .map((file) => path.basename(file, '.sql'))
  .sort();

/** A database with the tables as of the migration with this number, and the rows that the code of its time wrote. */
async function createEarlier(schema: string): Promise<TestDatabase> {
  const database = await createDatabase({ migrated: false });
  await migrateUpTo(database.db, schema);
  // The driver and not knex, which would take question marks in the rows for bindings.
  const client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query(readFileSync(path.join(folder, `${schema}.sql`), 'utf8'));
  await client.end();
  return database;
}

async function migrateUpTo(db: Knex, schema: string): Promise<void> {
  const all = await migrationSource.getMigrations([]);
  const upTo = all.filter(([name]) => name.slice(0, 4) <= schema);
  const source = { ...migrationSource, getMigrations: async () => upTo };
  await db.migrate.latest({ migrationSource: source, tableName: 'migrations' });
}

const listUsers = (db: Knex): Promise<string[]> => db('carts').orderBy('user_id').pluck('user_id');

async function verifyEveryCart(db: Knex) {
  const verifications = await Promise.all((await listUsers(db)).map((user) => verifyCart(db, user, asProjected([]))));
  return verifications.flatMap(({ findings }) => findings);
}

/** Every cart after each of its events, folded from the log; the first is the empty cart. */
async function foldLogs(db: Knex): Promise<Map<string, Cart[]>> {
  const logs = await readLogs(db, await listUsers(db));
  return new Map(
    logs.map(({ userId, events }) => {
      const carts = [emptyCart];
      for (const { event } of events) carts.push(evolve(carts.at(-1)!, event));
      return [userId, carts];
    }),
  );
}

it('starts from every schema but the newest', async () => {
  const names = (await migrationSource.getMigrations([])).map(([name]) => name.slice(0, 4));
  expect(schemas).toEqual(names.slice(0, -1));
});

describe.each(schemas)('an upgrade from the schema after migration %s', (schema) => {
  let database: TestDatabase;
  let db: Knex;
  beforeAll(async () => {
    database = await createEarlier(schema);
    db = database.db;
    await migrate(db);
  });
  afterAll(() => database.drop());

  it('leaves nothing that verify finds, and a read model that is what the log makes', async () => {
    expect(await listUsers(db)).toHaveLength(5);
    expect(await verifyEveryCart(db)).toEqual([]);
    const before = await readModelText(db);
    expect((await rebuildAll(db, () => {})).differed).toEqual([]);
    expect(await readModelText(db)).toEqual(before);
  });

  it('has every cart at every version', async () => {
    for (const [userId, carts] of await foldLogs(db)) {
      for (const { version, items, currency } of carts) {
        const [past] = await readPastCarts(db, userId, [{ version }]);
        const expected = { version, currency, itemCount: itemCountOf(items), subtotal: subtotalOf(items) };
        expect(past!.cart).toMatchObject(expected);
        expect(past!.cart!.items.map(({ productId, quantity }) => [productId, quantity])).toEqual(
          items.map(({ productId, quantity }) => [productId, quantity]),
        );
      }
    }
  });

  it('has the reports of every instant', async () => {
    const carts = [...(await foldLogs(db)).values()];
    const instants = carts.flatMap((versions) => versions.flatMap(({ updatedAt }) => updatedAt ?? []));
    for (const at of new Set(instants)) {
      const then = carts.map(
        (versions) => versions.findLast(({ updatedAt }) => updatedAt === null || updatedAt <= at)!,
      );
      const open = then.filter(({ items }) => items.length > 0);
      const { rows: total } = await db.raw("select carts, units from reports.summary_at(?) where part = 'total'", [at]);
      expect(total).toEqual([
        { carts: open.length, units: open.reduce((sum, { items }) => sum + itemCountOf(items), 0) },
      ]);
      const { rows: opened } = await db.raw('select units, value::integer from reports.open_carts_at(?)', [at]);
      expect(new Set(opened)).toEqual(
        new Set(open.map(({ items }) => ({ units: itemCountOf(items), value: subtotalOf(items) }))),
      );
    }
    const { rows: bought } = await db.raw('select user_id from reports.checkouts order by user_id');
    expect(bought).toEqual([{ user_id: 'alice' }, { user_id: 'erin' }]);
  });

  it('lets carts continue', async () => {
    const checkpoint = await readCheckpoint(db, 'alice');
    const context = { now: new Date().toISOString(), runId: 'next', freshId: () => 'fresh', unprojectedCount: 0 };
    const { decision } = handle(checkpoint, command(add('ink', 7, { commandId: 'after-the-upgrade' })), context);
    expect(await db.transaction((trx) => project(trx, 'alice', [decision!]))).toBe(1);
    expect(await verifyEveryCart(db)).toEqual([]);
  });
});

it('fills the line history of carts that were used before and after its table was created', async () => {
  const database = await createEarlier('0003');
  try {
    await database.db('cart_item_history').whereRaw('lower(versions) < 11').delete();
    expect(await database.db('cart_item_history').distinct('user_id').pluck('user_id')).toEqual(['alice']);
    await migrate(database.db);
    expect(await verifyEveryCart(database.db)).toEqual([]);
  } finally {
    await database.drop();
  }
});
