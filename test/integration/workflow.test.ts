import { randomUUID } from 'node:crypto';
import { cartWorkflowId } from '../../src/contract/ids';
import { parseSignal } from '../../src/contract/signals';
import { readRuns } from '../../src/temporal/histories/histories';
import { buttonsOf } from '../support/buttons';
import { malformedSignals } from '../support/malformed-signals';
import { expectConsistentLog, readLog } from '../support/read-log';
import { until } from '../support/until';
import { newUser, openWorld, type World } from '../support/world';

const wait = { Prefer: 'wait=30' };
const envelope = () => ({ commandId: randomUUID(), issuedAt: new Date().toISOString(), actor: 'user:test' });
const addPen = () => ({ ...envelope(), productId: 'pen', name: 'Pen', unitPrice: 250, currency: 'EUR', quantity: 1 });

const decisionsOf = async (world: World, userId: string): Promise<number> =>
  (await world.db('carts').where({ user_id: userId }).first('sequence'))?.sequence ?? 0;

// Without a cache every workflow task replays the whole run, so that code that is not deterministic fails here.
describe.each([
  ['as deployed', {}],
  ['without a cache', { maxCachedWorkflows: 0 }],
])('a cart, %s,', (_title, options) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(options);
  });
  afterAll(() => world.close());

  it('decides commands one after another, also when they arrive at the same time', async () => {
    const user = newUser();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => world.request('POST', `/carts/${user}/items`, { productId: 'pen' }, wait)),
    );
    expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(200));
    expect((await world.request('GET', `/carts/${user}`)).body).toMatchObject({ version: 20, itemCount: 20 });
    await expectConsistentLog(world, user);
  });

  it('records every malformed signal as rejected, and applies the next valid command', async () => {
    const user = newUser();
    await world.request('POST', `/carts/${user}/items`, { productId: 'pen' }, wait);
    for (const [, signal, args] of malformedSignals) await world.signal(user, signal, ...args);
    const valid = await world.request('POST', `/carts/${user}/items`, { productId: 'pen' }, wait);
    expect(valid).toMatchObject({ status: 200, body: { version: 2, itemCount: 2 } });
    // Without an id of its own a signal is known by its name and by what of its payload is recorded.
    const different = new Set(
      malformedSignals.map(([, signal, [payload]]) => JSON.stringify(parseSignal(signal, payload))),
    );
    await until('all signals are recorded', async () => (await decisionsOf(world, user)) === different.size + 2);
    const { commands } = await readLog(world, user);
    expect(commands.filter((command) => command.code === 'malformed_command')).toHaveLength(different.size);
    await expectConsistentLog(world, user);
  });

  it('records a payload that cannot be decoded as rejected', async () => {
    const user = newUser();
    const payloads = [
      { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{"commandId":') },
      { metadata: { encoding: Buffer.from('json/plain') } },
      { metadata: { encoding: Buffer.from('binary/unheard-of') }, data: Buffer.from('x') },
      { metadata: { encoding: Buffer.from('binary/encrypted') }, data: Buffer.alloc(1_000, 7) },
      { metadata: {}, data: Buffer.from('{}') },
      { data: Buffer.from([0xff, 0xfe]) },
      {
        metadata: { encoding: Buffer.from('json/plain') },
        data: Buffer.from('['.repeat(100_000) + ']'.repeat(100_000)),
      },
      { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{"quantity":1e999}') },
    ];
    await world.signal(user, 'clearCart', envelope());
    for (const payload of payloads) {
      await world.client.workflowService.signalWorkflowExecution({
        namespace: world.namespace,
        workflowExecution: { workflowId: cartWorkflowId(user) },
        signalName: 'addItem',
        input: { payloads: [payload] },
      });
    }
    const valid = await world.request('POST', `/carts/${user}/items`, { productId: 'pen' }, wait);
    expect(valid.status).toBe(200);
    const malformed = (await readLog(world, user)).commands.filter((command) => command.code === 'malformed_command');
    const different = new Set(malformed.map((command) => JSON.stringify(command.data)));
    expect(malformed).toHaveLength(different.size);
    // Two of the payloads are recorded as the same text as another one.
    expect(different.size).toBe(payloads.length - 2);
  });

  it('continues after a request to cancel it', async () => {
    const user = newUser();
    await world.request('POST', `/carts/${user}/items`, { productId: 'pen' }, wait);
    await world.client.workflow.getHandle(cartWorkflowId(user)).cancel();
    const next = await world.request('POST', `/carts/${user}/items`, { productId: 'pen' }, wait);
    expect(next).toMatchObject({ status: 200, body: { version: 2 } });
  });

  it('continues at the next version after its workflow was terminated, and recognises earlier commands', async () => {
    const user = newUser();
    const key = { ...wait, 'Idempotency-Key': 'first' };
    await world.request('POST', `/carts/${user}/items`, { productId: 'pen' }, key);
    await world.client.workflow.getHandle(cartWorkflowId(user)).terminate('test');
    const next = await world.request('POST', `/carts/${user}/items`, { productId: 'ink' }, wait);
    expect(next.body).toMatchObject({ version: 2, itemCount: 2 });
    await world.signal(user, 'addItem', { ...addPen(), commandId: 'first' });
    const last = await world.request('POST', `/carts/${user}/items`, { productId: 'ink' }, wait);
    expect(last.body).toMatchObject({ version: 3, itemCount: 3 });
    await expectConsistentLog(world, user);
  });

  it('decides commands later that arrive while no worker runs', async () => {
    const user = newUser();
    await world.stopWorker();
    const commandIds = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const answer = await world.request('POST', `/carts/${user}/items`, { productId: 'pen' });
        expect(answer.status).toBe(202);
        return answer.body.commandId;
      }),
    );
    expect((await world.request('GET', `/carts/${user}`)).body.version).toBe(0);
    await world.startWorker();
    await until('all are decided', async () => (await decisionsOf(world, user)) === 10);
    const { commands } = await readLog(world, user);
    expect(commands.map((command) => command.command_id).sort()).toEqual(commandIds.sort());
  });
});

describe('a cart in the Web UI', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(() => world.close());

  it('can be found by user, status and item count', async () => {
    const user = newUser();
    await world.request('POST', `/carts/${user}/items`, { productId: 'pen', quantity: 3 }, wait);
    const query = `CartUserId = '${user}' and CartStatus = 'open' and CartItemCount = 3`;
    const found = await until('it is listed', async () => {
      for await (const run of world.client.workflow.list({ query })) return run;
      return undefined;
    });
    expect(found.workflowId).toBe(`cart:${user}`);
  });

  it('shows one signal per command and a summary of each projection', async () => {
    const user = newUser();
    await world.request('POST', `/carts/${user}/items`, { productId: 'pen', quantity: 3 }, wait);
    await world.request('POST', `/carts/${user}/checkout`, undefined, wait);
    await world.request('POST', `/carts/${user}/checkout`, undefined, wait);
    const run = buttonsOf(world, user);
    await until('the history has all', async () => (await run.count('markerRecordedEventAttributes')) === 3);
    const { events } = await run.handle().fetchHistory();
    const signals = events!.flatMap((event) => event.workflowExecutionSignaledEventAttributes?.signalName ?? []);
    expect(signals).toEqual(['addItem', 'checkOut', 'checkOut']);
    const summaries = events!.flatMap((event) => {
      const data = event.markerRecordedEventAttributes && event.userMetadata?.summary?.data;
      return data ? [JSON.parse(Buffer.from(data).toString())] : [];
    });
    expect(summaries).toEqual(['v1: ItemAdded', 'v2: CartCheckedOut', 'rejected cart_empty']);
  });

  it('shows its content as a table', async () => {
    const user = newUser();
    await world.request('POST', `/carts/${user}/items`, { productId: 'ink', quantity: 2 }, wait);
    const metadata = await world.client.workflow
      .getHandle(cartWorkflowId(user))
      .query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(metadata.currentDetails).toContain('| ink | Ink, 30 ml | 2 | 1190 | 2380 |');
    expect(metadata.currentDetails).toContain('version 1');
  });
});

describe('a hot cart', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(() => world.close());

  it('applies each of 3,000 simultaneous signals once, continues as new, and answers a request', async () => {
    const user = newUser('hot');
    const key = { ...wait, 'Idempotency-Key': 'before-the-burst' };
    await world.request('POST', `/carts/${user}/items`, { productId: 'pen' }, key);
    const inTheMiddle = { ...wait, 'Idempotency-Key': 'in-the-middle' };
    const firstRun = (await world.client.workflow.getHandle(cartWorkflowId(user)).describe()).runId;
    const sent: string[] = [];
    const burst = Array.from({ length: 3_000 }, async (_, index) => {
      const commandId = `burst-${index}`;
      const change = { ...envelope(), commandId, productId: 'pen', quantity: 1 + (index % 999) };
      const copies = index % 10 === 0 ? 2 : 1;
      await Promise.all(Array.from({ length: copies }, () => world.signal(user, 'changeItemQuantity', change)));
      sent.push(commandId);
    });
    await until('half of the signals are sent', async () => sent.length >= 1_500);
    // Temporal may refuse a signal during the burst: 503 tells a client to send the same request again.
    const middle = await until('the request is answered', async () => {
      const answer = await world.request('POST', `/carts/${user}/items`, { productId: 'ink' }, inTheMiddle);
      return answer.status !== 503 && answer;
    });
    expect(middle.status).toBe(200);
    await Promise.all(burst);
    await until('all is decided', async () => (await decisionsOf(world, user)) >= 3_002);

    const again = await world.request('POST', `/carts/${user}/items`, { productId: 'pen' }, key);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    const { commands } = await readLog(world, user);
    const commandIds = commands.map((command) => command.command_id);
    expect(commandIds).toHaveLength(3_002);
    expect(new Set(commandIds)).toEqual(new Set([...sent, 'before-the-burst', 'in-the-middle']));
    await expectConsistentLog(world, user);
    expect((await world.client.workflow.getHandle(cartWorkflowId(user)).describe()).runId).not.toBe(firstRun);
  });

  it('recognises a repeated signal that it received before it continued as new', async () => {
    const user = newUser('hot');
    await world.signal(user, 'addItem', { ...addPen(), commandId: 'early' });
    const handle = world.client.workflow.getHandle(cartWorkflowId(user));
    const firstRun = (await handle.describe()).runId;
    // Repeats are signals but not commands, so the cart still remembers the first command.
    const repeats = Array.from({ length: 2_100 }, () =>
      world.signal(user, 'addItem', { ...addPen(), commandId: 'early' }),
    );
    await Promise.all(repeats);
    await until('it continued as new', async () => (await handle.describe()).runId !== firstRun);
    await world.signal(user, 'addItem', { ...addPen(), commandId: 'early' });
    const last = await world.request('POST', `/carts/${user}/items`, { productId: 'ink' }, wait);
    expect(last.body).toMatchObject({ version: 2, itemCount: 2 });
    await expectConsistentLog(world, user);
  });

  it('can be read although one page of its history is larger than 4 MB', async () => {
    const user = newUser();
    const note = 'x'.repeat(1_000_000);
    for (let n = 0; n < 5; n += 1) await world.signal(user, 'addItem', { ...addPen(), note });
    await until('all are decided', async () => (await decisionsOf(world, user)) === 5);
    const [run] = await readRuns(world, user);
    const signals = run!.history.events!.filter((event) => event.workflowExecutionSignaledEventAttributes);
    expect(signals).toHaveLength(5);
  });
});
