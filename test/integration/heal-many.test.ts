import type { RecordedDecision } from '../../src/domain/handle';
import type { CartLog } from '../../src/postgres/log/compare-log';
import { project } from '../../src/postgres/projection/project';
import { healMany } from '../../src/recovery/heal-many';
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

const story = (length: number, salt = 0) =>
  Array.from({ length }, (_, n) =>
    n % 11 === 10
      ? { type: 'checkOut' }
      : n % 5 === 4
        ? { type: 'changeItemQuantity', productId: `p${(n + salt) % 4}`, quantity: n % 3 }
        : add(`p${(n + salt) % 4}`, 1 + (n % 3), { name: `It's \\ "${salt}" ünïcode 🛒` }),
  );
const cart = (userId: string, length: number, salt = 0): CartLog => ({
  userId,
  decisions: decideAll(story(length, salt)).decisions,
});

/** Projects batch by batch, as a workflow does. */
async function projectAll({ userId, decisions }: CartLog): Promise<void> {
  for (let from = 0; from < decisions.length; from += 7) {
    await database.db.transaction((trx) => project(trx, userId, decisions.slice(from, from + 7)));
  }
}

/** Log and read model as text. Two results are equal if and only if all bytes of the rows are equal. */
async function readAllRows() {
  const log = async (table: string) =>
    (await database.db.raw(`select to_jsonb(t)::text as row from ${table} t order by 1`)).rows;
  const [commands, events] = await Promise.all([log('cart_commands'), log('cart_events')]);
  return { commands, events, ...(await readModelText(database.db)) };
}

/** Runs a statement without triggers and foreign keys, as a superuser can. */
const runUnchecked = (sql: string) =>
  database.db.transaction(async (trx) => {
    await trx.raw("set local session_replication_role = 'replica'");
    await trx.raw(sql);
  });
const truncateAll = () => runUnchecked('truncate cart_commands, cart_events, carts, cart_items, cart_item_history');
const deleteFrom = (userId: string, sequence: number, version: number) =>
  runUnchecked(`delete from cart_events where user_id = '${userId}' and version >= ${version};
        delete from cart_commands where user_id = '${userId}' and sequence >= ${sequence}`);

describe('healMany', () => {
  it('restores every byte that was projected, for each part of a cart that Postgres can lose', async () => {
    const logs = ['whole', 'gone', 'behind', 'unmodelled', "it's ünïcode"].map((user, salt) => cart(user, 60, salt));
    for (const log of logs) await projectAll(log);
    const before = await readAllRows();
    await runUnchecked(`delete from cart_events where user_id = 'gone';
                delete from cart_commands where user_id = 'gone';
                delete from cart_item_history where user_id in ('gone', 'unmodelled');
                delete from cart_items where user_id in ('gone', 'unmodelled');
                delete from carts where user_id in ('gone', 'unmodelled')`);
    const version = logs[2]!.decisions[40]!.events[0]!.version;
    await deleteFrom('behind', 41, version);
    expect(await healMany(database.db, logs)).toEqual([0, 60, 20, 0, 0]);
    expect(await readAllRows()).toEqual(before);
    expect(await healMany(database.db, logs)).toEqual([0, 0, 0, 0, 0]);
    await truncateAll();
    expect(await healMany(database.db, logs)).toEqual([60, 60, 60, 60, 60]);
    expect(await readAllRows()).toEqual(before);
  });

  it('writes rejected decisions, carts without events and repeated command ids as the projection does', async () => {
    const rejected = {
      userId: 'rejected',
      decisions: decideAll([{ type: 'checkOut' }, { type: 'checkOut' }]).decisions,
    };
    const plain = cart('repeating', 20);
    const renamed = (decision: RecordedDecision, commandId: string): RecordedDecision => ({
      ...decision,
      command: { ...decision.command, commandId },
      events: decision.events.map((event) => ({ ...event, commandId })),
    });
    const repeating = {
      ...plain,
      decisions: plain.decisions.map((each) => (each.sequence === 15 ? renamed(each, 'c1') : each)),
    };
    const logs = [rejected, repeating, { userId: 'without-decisions', decisions: [] }];
    for (const log of logs) await projectAll(log);
    const before = await readAllRows();
    await truncateAll();
    expect(await healMany(database.db, logs)).toEqual([2, 20, 0]);
    expect(await readAllRows()).toEqual(before);
    expect(await healMany(database.db, logs)).toEqual([0, 0, 0]);
  });

  it('does not change forked carts, names each of them, and heals the others', async () => {
    const [intact, forked, decided] = [cart('intact', 30), cart('forked', 30), cart('decided', 30)];
    await projectAll(cart('forked', 30, 1));
    await projectAll(decided);
    await runUnchecked("update cart_commands set outcome = 'rejected' where user_id = 'decided' and sequence = 3");
    const before = await readAllRows();
    const outcomes = await healMany(database.db, [forked, intact, decided]);
    expect(outcomes).toEqual([
      expect.objectContaining({ name: 'ForkError', message: expect.stringContaining('forked') }),
      30,
      expect.objectContaining({ name: 'ForkError', message: expect.stringContaining('decided') }),
    ]);
    await runUnchecked(
      ['cart_events', 'cart_commands', 'cart_item_history', 'cart_items', 'carts']
        .map((table) => `delete from ${table} where user_id = 'intact'`)
        .join(';'),
    );
    expect(await readAllRows()).toEqual(before);
  });

  it('compares histories that begin late with Postgres, and names the gap where Postgres has less', async () => {
    const [known, unknown] = [cart('known', 40), cart('unknown', 40)];
    await projectAll({ ...known, decisions: known.decisions.slice(0, 30) });
    const late = [known, unknown].map(({ userId, decisions }) => ({ userId, decisions: decisions.slice(20) }));
    expect(await healMany(database.db, late)).toEqual([10, expect.objectContaining({ name: 'GapError' })]);
    expect(await healMany(database.db, late)).toEqual([0, expect.objectContaining({ name: 'GapError' })]);
    const shorter = { ...known, decisions: known.decisions.slice(5, 15) };
    expect(await healMany(database.db, [shorter])).toEqual([0]);
    expect((await verifyCart(database.db, 'known', asProjected(known.decisions))).findings).toEqual([]);
  });

  it('rejects a history whose first version does not fit its first decision', async () => {
    const { decisions } = cart('odd', 10);
    const later = decisions.map((each) => ({
      ...each,
      events: each.events.map((event) => ({ ...event, version: event.version + 4 })),
    }));
    expect(await healMany(database.db, [{ userId: 'odd', decisions: later }])).toEqual([
      expect.objectContaining({ name: 'ForkError' }),
    ]);
    expect(await database.db('cart_commands')).toEqual([]);
  });

  it('fails only for the cart that Postgres rejects', async () => {
    const { decisions } = cart('invalid', 10);
    const invalid = { userId: 'invalid', decisions: decisions.map((each) => ({ ...each, decidedAt: 'never' })) };
    const outcomes = await healMany(database.db, [cart('first', 10), invalid, cart('last', 10)]);
    expect(outcomes).toEqual([10, expect.any(Error), 10]);
    expect(await database.db('carts').orderBy('user_id').pluck('user_id')).toEqual(['first', 'last']);
  });

  it('writes everything once when it runs twice in parallel with projections', async () => {
    const logs = Array.from({ length: 12 }, (_, index) => cart(`user-${index}`, 40, index));
    for (const log of logs) await projectAll(log);
    const before = await readAllRows();
    await truncateAll();
    const [one, other] = await Promise.all([
      healMany(database.db, logs),
      healMany(database.db, logs.toReversed()),
      ...logs.map(projectAll),
    ]);
    expect([...one, ...other].filter((outcome) => outcome instanceof Error)).toEqual([]);
    expect(await readAllRows()).toEqual(before);
  });
});
