import type { Knex } from 'knex';
import type { CartEvent } from '../../src/domain/events';
import { evolve } from '../../src/domain/evolve';
import { handle, type RecordedDecision } from '../../src/domain/handle';
import { type Cart, emptyCart, itemCountOf, subtotalOf } from '../../src/domain/state';
import { readRecordEnd } from '../../src/postgres/log/checkpoint';
import { hashEvent } from '../../src/postgres/log/first-format';
import { currentForks } from '../../src/postgres/log/forks';
import { readLogs } from '../../src/postgres/log/read-logs';
import { migrate, migrationSource } from '../../src/postgres/migrations/migrate';
import { project } from '../../src/postgres/projection/project';
import { upgradeChains } from '../../src/postgres/projection/upgrade-chains';
import { rebuildCart } from '../../src/postgres/read-model/rebuild-cart';
import { readPastCarts } from '../../src/queries/read-past-cart';
import { rebuildAll } from '../../src/recovery/rebuild';
import { verifyCart } from '../../src/recovery/verify';
import { asProjected } from '../../src/temporal/histories/read-decisions';
import { add, command } from '../support/cart-story';
import type { TestDatabase } from '../support/database';
import { createEarlier, earlierSchemas as schemas } from '../support/earlier-database';
import { readModelText } from '../support/model-tables';

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
    const { broken } = await upgradeChains(db, new AbortController().signal);
    expect(broken).toEqual([]);
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
    const { checkpoint } = await readRecordEnd(db, 'alice');
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
    await upgradeChains(database.db, new AbortController().signal);
    expect(await verifyEveryCart(database.db)).toEqual([]);
  } finally {
    await database.drop();
  }
});

describe('the upgrade to one chain over the decisions', () => {
  let database: TestDatabase;
  let db: Knex;
  beforeEach(async () => {
    database = await createEarlier('0005');
    db = database.db;
  });
  afterEach(() => database.drop());

  const upgrade = () => upgradeChains(db, new AbortController().signal);
  const findingsOf = async (user: string) => (await verifyCart(db, user, asProjected([]))).findings;
  const next = async (user: string, commandId: string) => {
    const context = { now: new Date().toISOString(), runId: 'next', freshId: () => 'fresh', unprojectedCount: 0 };
    return handle((await readRecordEnd(db, user)).checkpoint, command(add('ink', 7, { commandId })), context).decision!;
  };

  /** Writes a decision as the code did that hashed only events. */
  async function writeAsBefore(
    user: string,
    { command: { commandId, data, ...rest }, events, ...decision }: RecordedDecision,
  ) {
    const { head_hash: previousHash } = await db('carts').where({ user_id: user }).first('head_hash');
    await db('cart_commands').insert({
      user_id: user,
      sequence: decision.sequence,
      command_id: commandId,
      type: rest.type,
      actor: rest.actor,
      issued_at: rest.issuedAt,
      decided_at: decision.decidedAt,
      run_id: decision.runId,
      data,
      outcome: decision.outcome,
    });
    const [event] = events as [CartEvent];
    const hash = hashEvent(previousHash, user, event);
    await db('cart_events').insert({
      user_id: user,
      version: event.version,
      sequence: decision.sequence,
      type: event.type,
      data: event.data,
      command_id: commandId,
      actor: event.actor,
      occurred_at: event.occurredAt,
      previous_hash: previousHash,
      hash,
    });
    await rebuildCart(db, user);
    await db('carts').where({ user_id: user }).update({ head_hash: hash });
  }

  it('parks a cart whose log was changed before, names it, and goes on with the others', async () => {
    await db.transaction(async (trx) => {
      await trx.raw("set local session_replication_role = 'replica'");
      await trx('cart_events').where({ user_id: 'alice', version: 2 }).update({ actor: 'user:mallory' });
    });
    await migrate(db);
    expect(await upgrade()).toEqual({
      carts: 4,
      broken: [{ userId: 'alice', reason: expect.stringContaining('version 2') }],
    });
    expect(await currentForks(db)).toMatchObject([{ userId: 'alice' }]);
    await expect(db.transaction(async (trx) => project(trx, 'alice', [await next('alice', 'a')]))).rejects.toThrow(
      /log of cart alice is broken: version 2/,
    );
    expect((await findingsOf('alice')).length).toBeGreaterThan(0);
    expect(await findingsOf('carol')).toEqual([]);
  });

  it('is not disturbed by a rebuild, after which a worker of an older version goes on', async () => {
    await migrate(db);
    expect((await rebuildAll(db, () => {})).differed).toEqual([]);
    await writeAsBefore('alice', await next('alice', 'by-an-older-worker'));
    await rebuildAll(db, () => {});
    expect(await upgrade()).toEqual({ carts: 5, broken: [] });
    expect(await findingsOf('alice')).toEqual([]);
  });

  it('hashes what workers of an older version write meanwhile, by the next projection or the next upgrade', async () => {
    await migrate(db);
    await upgrade();
    for (const user of ['alice', 'carol']) {
      await writeAsBefore(user, await next(user, 'by-an-older-worker'));
      expect(await findingsOf(user)).toContainEqual(
        expect.objectContaining({ what: expect.stringContaining('no hash yet') }),
      );
    }
    await db.transaction(async (trx) => project(trx, 'alice', [await next('alice', 'by-this-worker')]));
    expect(await upgrade()).toEqual({ carts: 1, broken: [] });
    expect([...(await findingsOf('alice')), ...(await findingsOf('carol'))]).toEqual([]);
  });
});
