import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { createProjectCart } from '../../activities/project-cart';
import type { CartActivities } from '../../src/contract/activities';
import { type DecisionRef, emptyCheckpoint, handleAgain, type RecordedDecision, refOf } from '../../src/domain/handle';
import { archive } from '../../src/postgres/archive';
import { readRecordEnd } from '../../src/postgres/log/checkpoint';
import { genesisOf } from '../../src/postgres/log/hash-chain';
import { createProjector } from '../../src/postgres/projection/group-commits';
import { createCartReader, type ReadCart } from '../../src/queries/read-cart';
import { add, decideAll, instant } from '../support/cart-story';
import { createDatabase, type TestDatabase } from '../support/database';

let database: TestDatabase;
let readCart: ReadCart;
let activities: Pick<CartActivities, 'projectCart'>;
/** The decisions without which runs were to be ended. */
const asked: DecisionRef[] = [];
/** Whether the histories do not have them. */
let isLost = false;
beforeAll(async () => {
  database = await createDatabase();
  readCart = createCartReader(database.db);
  const noHistories = async () => [];
  activities = {
    projectCart: createProjectCart(database.db, createProjector(database.db), noHistories, async (after) => {
      asked.push(after);
      return isLost;
    }),
  };
});
afterAll(() => database.drop());

const newUser = () => `user-${randomBytes(6).toString('hex')}`;
const projectCart = (userId: string, decisions: readonly RecordedDecision[]): Promise<unknown> =>
  activities.projectCart({ userId, decisions });
const byOtherRun = (decisions: readonly RecordedDecision[]) => decisions.map((each) => ({ ...each, runId: 'other' }));

const readRows = async (userId: string) => ({
  commands: await database.db('cart_commands').where({ user_id: userId }).orderBy('sequence'),
  events: await database.db('cart_events').where({ user_id: userId }).orderBy('version'),
  cart: await database.db('carts').where({ user_id: userId }).first(),
  items: await database.db('cart_items').where({ user_id: userId }).orderBy('added_version'),
});

const story = [
  add('pen', 2),
  add('ink'),
  { type: 'changeItemQuantity', productId: 'pen', quantity: 5 },
  { type: 'removeItem', productId: 'nothing' },
  { type: 'changeItemQuantity', productId: 'nothing', quantity: 1 },
  { type: 'removeItem', productId: 'ink' },
  { type: 'checkOut' },
  add('pad', 3),
];

describe('projecting decisions', () => {
  it('writes every decision, every event, the cart and its items', async () => {
    const userId = newUser();
    const { decisions, checkpoint } = decideAll(story);
    await projectCart(userId, decisions);
    const { commands, events, cart, items } = await readRows(userId);
    expect(commands.map(({ sequence, type, outcome, code }) => ({ sequence, type, outcome, code }))).toEqual([
      { sequence: 1, type: 'addItem', outcome: 'applied', code: null },
      { sequence: 2, type: 'addItem', outcome: 'applied', code: null },
      { sequence: 3, type: 'changeItemQuantity', outcome: 'applied', code: null },
      { sequence: 4, type: 'removeItem', outcome: 'applied', code: null },
      { sequence: 5, type: 'changeItemQuantity', outcome: 'rejected', code: 'item_not_in_cart' },
      { sequence: 6, type: 'removeItem', outcome: 'applied', code: null },
      { sequence: 7, type: 'checkOut', outcome: 'applied', code: null },
      { sequence: 8, type: 'addItem', outcome: 'applied', code: null },
    ]);
    expect(events.map(({ version, sequence, type }) => [version, sequence, type])).toEqual([
      [1, 1, 'ItemAdded'],
      [2, 2, 'ItemAdded'],
      [3, 3, 'ItemQuantityChanged'],
      [4, 6, 'ItemRemoved'],
      [5, 7, 'CartCheckedOut'],
      [6, 8, 'ItemAdded'],
    ]);
    expect(cart).toMatchObject({
      version: 6,
      sequence: 8,
      status: 'open',
      item_count: 3,
      subtotal: 750,
      currency: 'EUR',
    });
    expect(items).toMatchObject([{ product_id: 'pad', quantity: 3, unit_price: 250, added_version: 6 }]);
    expect((await readRecordEnd(database.db, userId)).checkpoint).toEqual(checkpoint);
  });

  it('writes the same rows for every division into batches, with repeats and in parallel', async () => {
    const { decisions } = decideAll(story);
    const whole = newUser();
    await projectCart(whole, decisions);
    const { user_id: _, head_hash: _hash, ...expected } = (await readRows(whole)).cart;
    const repeated = fc.array(fc.tuple(fc.nat(decisions.length), fc.nat(decisions.length)), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(repeated, async (ranges) => {
        const userId = newUser();
        for (let from = 0; from < decisions.length; from += 3) {
          const batch = decisions.slice(from, from + 3);
          const repeats = ranges
            .map(([a, b]) => decisions.slice(Math.min(a, b), Math.max(a, b)))
            .filter((repeat) => (repeat.at(-1)?.sequence ?? 0) <= from + batch.length && repeat.length > 0)
            .filter((repeat) => repeat[0]!.sequence <= from + 1);
          await Promise.all([batch, batch, ...repeats].map((attempt) => projectCart(userId, attempt)));
        }
        const { cart, commands, events } = await readRows(userId);
        expect(cart).toMatchObject(expected);
        expect(commands).toHaveLength(decisions.length);
        expect(events).toHaveLength(6);
        expect((await readCart(userId)).items).toEqual((await readCart(whole)).items);
      }),
      { numRuns: 20 },
    );
  });

  it('changes nothing when a batch is repeated later', async () => {
    const userId = newUser();
    const { decisions } = decideAll(story);
    await projectCart(userId, decisions);
    const before = await readRows(userId);
    await projectCart(userId, decisions.slice(0, 3));
    await projectCart(userId, decisions);
    expect(await readRows(userId)).toEqual(before);
  });

  it('writes a new cart once when several attempts run at the same time', async () => {
    const userId = newUser();
    const { decisions } = decideAll(story);
    await Promise.all(Array.from({ length: 8 }, () => projectCart(userId, decisions)));
    expect((await readRows(userId)).commands).toHaveLength(decisions.length);
  });

  it('names the gap and writes nothing where earlier decisions are missing', async () => {
    const userId = newUser();
    const { decisions } = decideAll(story);
    await projectCart(userId, decisions.slice(0, 2));
    const before = await readRows(userId);
    await expect(projectCart(userId, decisions.slice(3))).rejects.toThrow(
      `Postgres has 2 decisions of cart ${userId}; decision 4 cannot follow`,
    );
    expect(await readRows(userId)).toEqual(before);
  });

  it('asks to end a run that follows on a decision of its own that is not on record, and writes nothing', async () => {
    const userId = newUser();
    const { decisions } = decideAll(story);
    await projectCart(userId, decisions.slice(0, 2));
    const before = await readRows(userId);
    const batch = { userId, decisions: decisions.slice(3), after: refOf(decisions[2]!) };
    asked.splice(0);
    isLost = true;
    await expect(activities.projectCart(batch)).rejects.toThrow('lost its way');
    isLost = false;
    expect(asked.splice(0)).toEqual([batch.after]);
    await expect(activities.projectCart({ ...batch, decisions: byOtherRun(batch.decisions) })).rejects.toThrow();
    expect(asked).toEqual([]);
    expect(await readRows(userId)).toEqual(before);
  });

  it('names the decision and writes nothing where Postgres has another event there', async () => {
    const userId = newUser();
    await projectCart(userId, decideAll([add('pen'), add('ink')]).decisions);
    const before = await readRows(userId);
    const fork = decideAll([add('pen'), add('ink', 2)]).decisions;
    await expect(projectCart(userId, fork)).rejects.toThrow(/decision 2 .* other fields or events/);
    const otherCommand = decideAll([add('pen', 1, { commandId: 'other' })]).decisions;
    await expect(projectCart(userId, otherCommand)).rejects.toThrow(/has command c1 .* as decision 1/);
    const longer = decideAll([add('pen'), add('ink', 2), add('pad')]).decisions;
    await expect(projectCart(userId, longer)).rejects.toThrow(/decision 2 .* other fields or events/);
    expect(await readRows(userId)).toEqual(before);
  });

  it('answers with the record where it went another way, and writes nothing', async () => {
    const userId = newUser();
    const { decisions, checkpoint } = decideAll([add('pen'), add('ink')]);
    await projectCart(userId, decisions);
    const before = await readRows(userId);
    const [first, second, third] = byOtherRun(decideAll([add('pen'), add('ink'), add('pad')]).decisions);
    const answers = [
      await activities.projectCart({ userId, decisions: [first!, second!, third!], after: null }),
      await activities.projectCart({ userId, decisions: [second!, third!], after: refOf(first!) }),
      await activities.projectCart({ userId, decisions: [third!], after: refOf(second!) }),
    ];
    for (const answer of answers) {
      const record = answer.outcome === 'diverged' ? answer.checkpoint : undefined;
      expect(record).toMatchObject({ cart: checkpoint.cart, sequence: 2, last: refOf(decisions[1]!) });
      expect(record?.recentCommandIds).toEqual(expect.arrayContaining(['c1', 'c2']));
    }
    expect(await readRows(userId)).toEqual(before);
    const own = await activities.projectCart({ userId, decisions: [third!], after: refOf(decisions[1]!) });
    expect(own).toEqual({ outcome: 'projected' });
  });

  it('has a command that the run no longer remembers take effect once', async () => {
    const userId = newUser();
    const first = decideAll([add('pen', 1, { commandId: 'k' }), add('ink')]);
    await projectCart(userId, first.decisions);
    const forgotten = { ...first.checkpoint, recentCommandIds: [], recentFingerprints: [] };
    const again = decideAll([add('pen', 1, { commandId: 'k' })], forgotten);
    const answer = await activities.projectCart({
      userId,
      decisions: again.decisions,
      after: refOf(first.decisions[1]!),
    });
    expect(answer.outcome).toBe('diverged');
    const record = answer.outcome === 'diverged' ? answer.checkpoint : emptyCheckpoint;
    const context = { now: instant(9), runId: 'run', freshId: () => 'fresh' };
    expect(handleAgain(record, again.decisions, context).decisions).toEqual([]);
    expect((await readRows(userId)).cart).toMatchObject({ version: 2, item_count: 2 });
  });

  it('has another command under a forgotten id rejected, once', async () => {
    const userId = newUser();
    const first = decideAll([add('pen', 1, { commandId: 'k' })]);
    await projectCart(userId, first.decisions);
    const forgotten = { ...first.checkpoint, recentCommandIds: [], recentFingerprints: [] };
    const context = { now: instant(9), runId: 'run', freshId: () => 'fresh' };
    const rejectReuse = async () => {
      const reused = decideAll([add('pen', 5, { commandId: 'k' })], {
        ...forgotten,
        ...(await headOf(userId)),
      }).decisions;
      const answer = await activities.projectCart({ userId, decisions: reused, after: (await headOf(userId)).last! });
      const record = answer.outcome === 'diverged' ? answer.checkpoint : emptyCheckpoint;
      const { decisions } = handleAgain(record, reused, context);
      if (decisions.length > 0) await activities.projectCart({ userId, decisions, after: record.last! });
      return decisions;
    };
    const headOf = async (user: string) => {
      const { sequence, last } = (await readRecordEnd(database.db, user)).checkpoint;
      return { sequence, last: last! };
    };
    expect(await rejectReuse()).toEqual([
      expect.objectContaining({ outcome: 'rejected', code: 'idempotency_key_reused' }),
    ]);
    expect(await rejectReuse()).toEqual([]);
    expect((await readRows(userId)).commands.map((row) => row.command_id)).toEqual(['k', 'k~2']);
    expect((await readRows(userId)).cart).toMatchObject({ version: 1, item_count: 1 });
  });

  it('stores names with special characters unchanged', async () => {
    const userId = newUser();
    const name = `O'Hara's "¼" \\ ñ 茶 👩‍👩‍👧 ${'x'.repeat(150)}`;
    await projectCart(userId, decideAll([add('tea', 1, { name })]).decisions);
    expect((await readCart(userId)).items[0]?.name).toBe(name);
  });
});

describe('the log and the archive', () => {
  const userId = 'append-only';
  beforeAll(async () => {
    await projectCart(userId, decideAll([add('pen')]).decisions);
    const run = { userId, workflowId: `cart:${userId}`, runId: 'run', previousRunId: undefined, eventCount: 0 };
    const times = {
      startedAt: '2030-01-01T00:00:00.000Z',
      closedAt: '2030-01-01T00:00:01.000Z',
      closedAs: 'Completed',
    };
    await archive(database.db, { ...run, ...times }, Buffer.alloc(0));
  });

  it.each([
    'update cart_events set type = type',
    'update cart_commands set actor = actor',
    'delete from cart_events',
    'delete from cart_commands',
    'truncate cart_events',
    'truncate cart_commands cascade',
    'update cart_histories set closed_as = closed_as',
    'delete from cart_histories',
    'truncate cart_histories',
  ])('rejects %s', async (statement) => {
    await expect(database.db.raw(statement)).rejects.toThrow(/append-only/);
  });

  it('chains every decision to the previous decision, with its events', async () => {
    const chained = newUser();
    await projectCart(chained, decideAll(story).decisions);
    const { commands, events, cart } = await readRows(chained);
    const { salt } = await database.db('cart_users').where({ user_id: chained }).first('salt');
    expect(commands[0].previous_hash).toEqual(genesisOf('decisions', { userId: chained, salt }));
    expect(commands.slice(1).map((row) => row.previous_hash)).toEqual(commands.slice(0, -1).map((row) => row.hash));
    expect(cart.head_hash).toEqual(commands.at(-1).hash);
    expect(events.map(({ hash, previous_hash }) => [hash, previous_hash])).toEqual(events.map(() => [null, null]));
  });
});

describe('loadCheckpoint', () => {
  it('returns an empty cart at version 0 for an unknown user', async () => {
    expect(await readRecordEnd(database.db, newUser())).toEqual({ checkpoint: decideAll([]).checkpoint });
  });
});
