import type { RecordedDecision } from '../../src/domain/handle';
import { connectDatabase } from '../../src/postgres/database';
import { createProjector, type Projector } from '../../src/postgres/projection/group-commits';
import { add, decideAll } from '../support/cart-story';
import { createDatabase, type TestDatabase } from '../support/database';
import { until } from '../support/until';

let database: TestDatabase;
let project: Projector;
beforeAll(async () => {
  database = await createDatabase();
  project = createProjector(database.db);
});
afterAll(() => database.drop());

const story = decideAll([add('pen', 2), add('ink')]).decisions;
const other = decideAll([add('pad', 1, { commandId: 'another' })]).decisions;

/** A decision that no cart makes, and that Postgres rejects. */
const invalid: RecordedDecision[] = story.slice(0, 1).map((decision) => ({
  ...decision,
  events: decision.events.map((event) => ({ ...event, data: { ...event.data, quantity: -1 } }) as typeof event),
}));

const usersOf = (name: string, count: number) => Array.from({ length: count }, (_, n) => `${name}-${n}`);
const sequences = async (users: readonly string[]) =>
  (await database.db('carts').whereIn('user_id', users).orderBy('user_id')).map((cart) => cart.sequence);

describe('projecting in groups', () => {
  it('projects batches of many carts at the same time in few transactions', async () => {
    const users = usersOf('many', 120);
    const outcomes = await Promise.all(users.map((userId) => project({ userId, decisions: story })));
    expect(outcomes).toEqual(Array(120).fill({ added: 2 }));
    expect(await sequences(users)).toEqual(Array(120).fill(2));
    const { rows } = await database.db.raw(
      "select count(distinct xmin::text)::integer as transactions from carts where user_id like 'many-%'",
    );
    expect(rows[0].transactions).toBeLessThan(10);
  });

  it('projects batches of the same cart one after another', async () => {
    const [first, second] = story;
    const outcomes = await Promise.all([
      project({ userId: 'same', decisions: [first!] }),
      project({ userId: 'same', decisions: [second!] }),
      project({ userId: 'same', decisions: story }),
    ]);
    expect(outcomes).toEqual([{ added: 1 }, { added: 1 }, { added: 0 }]);
  });

  it('projects all other carts where Postgres rejects one', async () => {
    const users = usersOf('fine', 20);
    const failing = project({ userId: 'invalid', decisions: invalid });
    const fine = users.map((userId) => project({ userId, decisions: story }));
    await expect(failing).rejects.toThrow(/quantity/);
    expect(await Promise.all(fine)).toEqual(Array(20).fill({ added: 2 }));
    expect(await sequences(['invalid'])).toEqual([]);
  });

  it.each([
    ['locked', 'select from carts where user_id = ? for update'],
    ['being created', 'insert into carts (user_id) values (?)'],
  ])('does not wait for a cart that is %s by another transaction', async (name, statement) => {
    const userId = `held-${name}`;
    if (name === 'locked') await database.db('carts').insert({ user_id: userId });
    const holder = await database.db.transaction();
    await holder.raw(statement, [userId]);
    let isHeldDone = false;
    const held = project({ userId, decisions: story }).finally(() => {
      isHeldDone = true;
    });
    const users = usersOf(`beside-${name}`, 40);
    const beside = await Promise.all(users.map((user) => project({ userId: user, decisions: story })));
    expect(beside).toEqual(Array(40).fill({ added: 2 }));
    expect(isHeldDone).toBe(false);
    await holder.rollback();
    expect(await held).toEqual({ added: 2 });
  });

  it('reports a fork or a gap of one cart and projects the others', async () => {
    await project({ userId: 'forked', decisions: story });
    const [first, , third] = decideAll([add('pen'), add('ink'), add('pad')]).decisions;
    const [forked, gap, hole, fine] = await Promise.all([
      project({ userId: 'forked', decisions: other }),
      project({ userId: 'gap', decisions: story.slice(1) }),
      project({ userId: 'hole', decisions: [first!, third!] }),
      project({ userId: 'fine', decisions: story }),
    ]);
    expect(forked).toEqual({ diverged: expect.objectContaining({ reason: expect.stringContaining('fork') }) });
    expect(gap).toEqual({ gap: expect.objectContaining({ name: 'GapError', after: 0 }) });
    expect(hole).toEqual({ gap: expect.objectContaining({ name: 'GapError', after: 0 }) });
    expect(fine).toEqual({ added: 2 });
  });

  it('records a command under another id where its id is already recorded, also in one batch', async () => {
    const [first, second] = decideAll([add('pen', 1, { commandId: 'k' }), add('ink')]).decisions;
    const again = { ...second!, command: { ...second!.command, commandId: 'k' } };
    expect(await project({ userId: 'repeated', decisions: [first!, again] })).toEqual({ added: 2 });
    const kept = await database.db('cart_commands').where({ user_id: 'repeated' }).orderBy('sequence');
    expect(kept.map((row) => row.command_id)).toEqual(['k', 'k~2']);
  });

  it('scans no table, also where Postgres has no statistics', async () => {
    // A connection flushes its counts late, so no other one may have used these tables.
    const fresh = await createDatabase();
    await fresh.db.destroy();
    const db = connectDatabase(fresh.url, { poolSize: 1, name: 'test', prefersIndexes: true });
    const projectByKey = createProjector(db);
    const countConnections = async () =>
      (await db.raw('select count(*)::integer from pg_stat_activity where datname = current_database()')).rows[0].count;
    const tableScans = async () => {
      await db.raw('select pg_stat_force_next_flush()');
      const { rows } = await db.raw(
        'select relname, seq_scan from pg_stat_user_tables where relname in (?, ?, ?, ?, ?) order by relname',
        ['cart_commands', 'cart_events', 'cart_items', 'cart_item_history', 'carts'],
      );
      return rows;
    };
    try {
      await until('this is the only connection', async () => (await countConnections()) === 1);
      const before = await tableScans();
      expect(before).toHaveLength(5);
      const changes = decideAll([add('pen'), add('pen'), add('ink')]).decisions;
      for (const userId of usersOf('keyed', 100)) {
        for (const decision of changes) await projectByKey({ userId, decisions: [decision] });
      }
      expect(await tableScans()).toEqual(before);
    } finally {
      await db.destroy();
      await fresh.drop();
    }
  });
});
