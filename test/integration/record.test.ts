import { randomUUID } from 'node:crypto';
import { cartWorkflowId } from '../../src/contract/ids';
import { emptyCheckpoint } from '../../src/domain/handle';
import { readLogs, readStoredDecisions } from '../../src/postgres/log/read-logs';
import { verifyUser } from '../../src/recovery/verify-all';
import { readDecisions } from '../../src/temporal/histories/read-decisions';
import { buttonsOf } from '../support/buttons';
import { until } from '../support/until';
import { newUser, openWorld, type World } from '../support/world';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const wait = { Prefer: 'wait=30' };
const add = (user: string, productId = 'pen', headers: Record<string, string> = wait) =>
  world.request('POST', `/carts/${user}/items`, { productId }, headers);
const cartOf = async (user: string) => (await world.request('GET', `/carts/${user}`)).body;
const commandsOf = (user: string) => world.db('cart_commands').where({ user_id: user }).orderBy('sequence');
const findingsOf = async (user: string) => (await verifyUser({ client: world.client, db: world.db }, user)).findings;
const resetToFirst = async (user: string) => {
  const run = buttonsOf(world, user);
  await run.reset((await run.tasks())[0]!);
};

describe('a cart whose run was reset', () => {
  const places = [
    ['its first workflow task', (tasks: number[]) => tasks[0]!],
    ['one in the middle', (tasks: number[]) => tasks[tasks.length >> 1]!],
    ['its last workflow task', (tasks: number[]) => tasks.at(-1)!],
  ] as const;

  it.each(places)('to %s continues at the next version, with nothing lost or doubled', async (_place, choose) => {
    const user = newUser();
    for (const product of ['pen', 'ink', 'pen']) await add(user, product);
    const before = await commandsOf(user);
    const run = buttonsOf(world, user);
    await run.reset(choose(await run.tasks()));
    const answer = await add(user, 'pad');
    expect(answer).toMatchObject({ status: 200, body: { version: 4, itemCount: 4 } });
    expect((await commandsOf(user)).slice(0, 3)).toEqual(before);
    expect(await findingsOf(user)).toEqual([]);
  });

  it('twice, and then terminated, continues all the same', async () => {
    const user = newUser();
    for (const product of ['pen', 'ink', 'pen']) await add(user, product);
    await resetToFirst(user);
    await add(user, 'pad');
    await resetToFirst(user);
    expect((await add(user, 'pen')).body).toMatchObject({ version: 5 });
    await buttonsOf(world, user).terminate();
    expect((await add(user, 'ink')).body).toMatchObject({ version: 6, itemCount: 6 });
    expect(await findingsOf(user)).toEqual([]);
  });

  it('counts commands once that come while it decides again what is on record', async () => {
    const user = newUser();
    for (let round = 0; round < 5; round += 1) await add(user);
    await resetToFirst(user);
    await Promise.all(Array.from({ length: 10 }, () => add(user)));
    expect(await cartOf(user)).toMatchObject({ version: 15, itemCount: 15 });
    expect((await commandsOf(user)).map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 15 }, (_, n) => n + 1),
    );
    expect(await findingsOf(user)).toEqual([]);
  });
});

describe('one key for three different requests', () => {
  it('has the later ones on record as rejected, and the first keeps its outcome', async () => {
    const user = newUser();
    await add(user, 'ink');
    await world.stopWorker();
    const key = { 'Idempotency-Key': 'one-key' };
    const send = (quantity: number, headers = {}) =>
      world.request('POST', `/carts/${user}/items`, { productId: 'pen', quantity }, { ...key, ...headers });
    for (const quantity of [1, 2, 3]) expect((await send(quantity)).status).toBe(202);
    const waiting = send(3, wait);
    await world.startWorker();
    expect(await waiting).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    await until('all are on record', async () => (await commandsOf(user)).length === 4);
    expect((await commandsOf(user)).slice(1)).toMatchObject([
      { command_id: 'one-key', outcome: 'applied' },
      { command_id: 'one-key~3', outcome: 'rejected', code: 'idempotency_key_reused' },
      { command_id: 'one-key~4', outcome: 'rejected', code: 'idempotency_key_reused' },
    ]);
    expect(await cartOf(user)).toMatchObject({ version: 2, itemCount: 2 });
    expect(await send(1, wait)).toMatchObject({ status: 200, body: { version: 2 } });
  });
});

describe('a run of the workflow that was started by hand', () => {
  const startByHand = async (workflowId: string, ...args: unknown[]) => {
    const { runId } = await world.client.workflow
      .signalWithStart('cartWorkflow', {
        workflowId,
        taskQueue: world.taskQueue,
        args,
        signal: 'clearCart',
        signalArgs: [{}],
      })
      .then((handle) => handle.describe());
    const handle = world.client.workflow.getHandle(workflowId, runId);
    return handle.result().then(
      () => 'completed',
      (error) => error.cause?.message as string,
    );
  };

  it.each(['test:alice', 'cart:', 'cart:a b', 'cart:../x', `cart:${'x'.repeat(129)}`])(
    'under the id %s fails at once and says what a cart’s id is',
    async (workflowId) => {
      expect(await startByHand(workflowId)).toMatch(/cart:\{userId\}/);
      expect(await world.db('carts').whereIn('user_id', ['alice', '', 'a b'])).toEqual([]);
    },
  );

  it.each([
    [null],
    ['state'],
    [{}],
    [{ schema: 1 }],
    [{ schema: 2, checkpoint: {}, unprojected: [] }],
    [{ schema: 1, checkpoint: { ...emptyCheckpoint, sequence: 7 }, unprojected: [] }],
  ])('with the argument %j fails at once', async (argument) => {
    const user = newUser();
    expect(await startByHand(cartWorkflowId(user), argument)).toMatch(/no argument/);
    expect(await world.db('carts').where({ user_id: user })).toEqual([]);
    expect((await add(user)).body).toMatchObject({ version: 1 });
  });

  it('with the state of an earlier run continues from the record', async () => {
    const user = newUser();
    for (const product of ['pen', 'ink']) await add(user, product);
    const state = {
      schema: 1,
      checkpoint: {
        cart: { version: 0, currency: null, items: [], updatedAt: null },
        sequence: 0,
        recentCommandIds: [],
        recentFingerprints: [],
      },
      unprojected: [],
    };
    await buttonsOf(world, user).terminate();
    await world.client.workflow.start('cartWorkflow', {
      workflowId: cartWorkflowId(user),
      taskQueue: world.taskQueue,
      args: [state],
    });
    expect((await add(user)).body).toMatchObject({ version: 3, itemCount: 3 });
    expect(await findingsOf(user)).toEqual([]);
  });
});

describe('a cart of 100 lines with the longest ids and names', () => {
  it('decides and projects 40 restores that arrive at once', async () => {
    const user = newUser();
    const envelope = () => ({ commandId: randomUUID(), issuedAt: new Date().toISOString(), actor: `user:${user}` });
    const ids = Array.from({ length: 100 }, (_, line) => `${line}-`.padEnd(128, 'p'));
    const name = '茶'.repeat(200);
    for (const half of [ids.slice(0, 50), ids.slice(50)]) {
      const lines = half.map((productId) => ({ productId, name, unitPrice: 1, currency: 'EUR', quantity: 1 }));
      await Promise.all(lines.map((line) => world.signal(user, 'addItem', { ...envelope(), ...line })));
    }
    await until('the cart is full', async () => (await cartOf(user)).items.length === 100);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        world.request('POST', `/carts/${user}/restore`, { version: 50 + (n % 50) }, { Prefer: 'wait=30' }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(40).fill(200));
    expect(await findingsOf(user)).toEqual([]);
  });
});

describe('the histories of all these carts', () => {
  it('give the record that Postgres has, also where it is rebuilt from them alone', async () => {
    const source = { client: world.client, db: world.db };
    const users: string[] = await world.db('carts').pluck('user_id');
    expect(users.length).toBeGreaterThan(5);
    for (const log of await readLogs(world.db, users)) {
      const recorded = (await readStoredDecisions(world.db, log)).map(({ decision }) => decision);
      expect(await readDecisions(source, log.userId)).toEqual(recorded);
    }
  });
});
