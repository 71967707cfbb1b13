import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { connectDatabase } from '../../src/postgres/database';
import { project } from '../../src/postgres/projection/project';
import { rebuildCart } from '../../src/postgres/read-model/rebuild-cart';
import { readModelDefinition, readModelTables } from '../../src/postgres/read-model/tables';
import { rebuildAll } from '../../src/recovery/rebuild';
import { verifyCart } from '../../src/recovery/verify';
import { asProjected } from '../../src/temporal/histories/read-decisions';
import { add, decideAll } from '../support/cart-story';
import { createDatabase, type TestDatabase } from '../support/database';
import { readModelText } from '../support/model-tables';

let database: TestDatabase;
beforeEach(async () => {
  database = await createDatabase();
});
afterEach(() => database.drop());

const product = fc.constantFrom('pen', 'ink', 'pad', 'cap');
const anyFields = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .record({ product, quantity: fc.integer({ min: 1, max: 400 }) })
      .map((c) => add(c.product, c.quantity)),
  },
  fc.record({ type: fc.constant('changeItemQuantity'), productId: product, quantity: fc.nat(20) }),
  fc.record({ type: fc.constant('removeItem'), productId: product }),
  fc.constantFrom({ type: 'clearCart' }, { type: 'checkOut' }),
);

/** Projects random carts. @returns the users and their decisions. */
async function projectRandomCarts(carts: number, commands: number, seed: number) {
  const stories = fc.sample(fc.array(anyFields, { minLength: commands, maxLength: commands }), {
    numRuns: carts,
    seed,
  });
  const all = stories.map((story, index) => ({ userId: `user-${index}`, decisions: decideAll(story).decisions }));
  for (const { userId, decisions } of all) {
    // In several batches, so that the rebuilt read model is compared with one that was projected step by step.
    for (let from = 0; from < decisions.length; from += 7) {
      await database.db.transaction((trx) => project(trx, userId, decisions.slice(from, from + 7)));
    }
  }
  return all;
}

const readModel = () => readModelText(database.db);

const ignoreProgress = () => {};

describe('a rebuild of the read model from the log', () => {
  it('writes byte for byte what the projection had written', async () => {
    const seed = randomInt(2 ** 31);
    await projectRandomCarts(40, 60, seed);
    const before = await readModel();
    const result = await rebuildAll(database.db, ignoreProgress);
    expect({ seed, differed: result.differed }).toEqual({ seed, differed: [] });
    expect(await readModel()).toEqual(before);
  });

  it('restores it after all of its tables were dropped', async () => {
    await projectRandomCarts(10, 30, 1);
    const before = await readModel();
    await database.db.raw('drop table cart_item_history, cart_items, carts');
    await rebuildAll(database.db, ignoreProgress);
    expect(await readModel()).toEqual(before);
  });

  it('repairs damaged carts and reports which carts differed', async () => {
    await projectRandomCarts(5, 30, 2);
    const before = await readModel();
    await database.db('carts').where({ user_id: 'user-3' }).update({ subtotal: 1 });
    await database.db('cart_item_history').where({ user_id: 'user-1' }).delete();
    const { differed } = await rebuildAll(database.db, ignoreProgress);
    expect(differed).toEqual(['user-1', 'user-3']);
    expect(await readModel()).toEqual(before);
  });

  it('changes no other cart when it is run for one', async () => {
    await projectRandomCarts(3, 30, 3);
    const before = await readModel();
    await database.db('carts').update({ item_count: 77 });
    expect(await rebuildCart(database.db, 'user-1')).toMatchObject({ carts: 1, differed: ['user-1'] });
    const counts = await database.db('carts').orderBy('user_id').pluck('item_count');
    expect([counts[0], counts[2]]).toEqual([77, 77]);
    await rebuildAll(database.db, ignoreProgress);
    expect(await readModel()).toEqual(before);
  });

  it('can be run again after it was interrupted', async () => {
    await projectRandomCarts(30, 20, 4);
    const before = await readModel();
    const interrupted = rebuildAll(database.db, ({ carts }) => {
      if (carts >= 1) throw new Error('killed');
    });
    await expect(interrupted).rejects.toThrow('killed');
    expect(await readModel()).toEqual(before);
    await rebuildAll(database.db, ignoreProgress);
    expect(await readModel()).toEqual(before);
    expect(await database.db('pg_namespace').where({ nspname: 'rebuild' })).toEqual([]);
  });

  it('loses no projection and fails no read that runs at the same time', async () => {
    const { decisions } = decideAll(Array.from({ length: 400 }, (_, n) => add(`p${n % 50}`)));
    await projectRandomCarts(60, 60, 5);
    let isOver = false;
    let reads = 0;
    const projecting = (async () => {
      for (const decision of decisions) await database.db.transaction((trx) => project(trx, 'busy', [decision]));
    })();
    const reading = (async () => {
      const reader = connectDatabase(database.url, { poolSize: 4, name: 'reader', readOnly: true });
      while (!isOver) {
        await reader.raw('select (select count(*) from cart_items i where i.user_id = c.user_id) from carts c');
        reads += 1;
      }
      await reader.destroy();
    })();
    for (let round = 0; round < 4; round += 1) await rebuildAll(database.db, ignoreProgress);
    await projecting;
    isOver = true;
    await reading;
    expect(reads).toBeGreaterThan(10);
    expect((await verifyCart(database.db, 'busy', asProjected(decisions))).findings).toEqual([]);
    expect((await rebuildAll(database.db, ignoreProgress)).differed).toEqual([]);
  });

  it('creates the same tables as the migrations', async () => {
    const shape = async (schema: string) => {
      const { rows } = await database.db.raw(
        `select 'column' as kind, table_name as place, column_name || ' ' || udt_name || ' ' || is_nullable ||
                coalesce(column_default, '') as what
         from information_schema.columns where table_schema = :schema and table_name = any(:tables)
         union all
         select 'constraint', conrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint
         where connamespace = :schema::regnamespace and conrelid::regclass::text ~ '(carts|cart_items|cart_item_history)$'
         union all
         select 'index', tablename, regexp_replace(indexdef, ' ON \\S+ ', ' ') from pg_indexes
         where schemaname = :schema and tablename = any(:tables)
         order by 1, 2, 3`,
        { schema, tables: [...readModelTables] },
      );
      return JSON.stringify(rows).replaceAll(`${schema}.`, '');
    };
    await database.db.raw(
      `create schema twin; set search_path = twin, public; ${readModelDefinition}; reset search_path`,
    );
    expect(await shape('twin')).toBe(await shape('public'));
  });
});

describe('verifyCart', () => {
  it('finds nothing in a consistent cart', async () => {
    const [first] = await projectRandomCarts(1, 80, 6);
    expect(await verifyCart(database.db, first!.userId, asProjected(first!.decisions))).toEqual({
      userId: 'user-0',
      decisions: 80,
      events: first!.decisions.flatMap((decision) => decision.events).length,
      inHistories: 80,
      findings: [],
    });
  });

  it('finds a missing event', async () => {
    const [first] = await projectRandomCarts(2, 40, 8);
    const { userId, decisions } = first!;
    const { db } = database;
    await db.raw('alter table cart_events disable trigger user');
    const found = async () =>
      (await verifyCart(db, userId, asProjected(decisions))).findings.map(({ what }) => what).join('\n');
    await db.transaction(async (trx) => {
      await trx('cart_events').where({ user_id: userId, version: 5 }).delete();
    });
    expect(await found()).toContain('the event of version 5 is missing');
  });

  it('finds a fork between Temporal and Postgres', async () => {
    const [first] = await projectRandomCarts(1, 20, 9);
    const other = decideAll(Array.from({ length: 20 }, () => add('cap'))).decisions;
    const { findings } = await verifyCart(database.db, first!.userId, asProjected(other));
    expect(findings.map((finding) => finding.what).join('\n')).toContain('fork');
  });
});
