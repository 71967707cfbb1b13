import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { version } from '../../package.json';
import { cartWorkflowId } from '../../src/contract/ids';
import { deliverSignalName, parseSignal } from '../../src/contract/signals';
import { buttonsOf } from '../support/buttons';
import { malformedSignals } from '../support/malformed-signals';
import { openShortRunWorld, type ShortRunWorld } from '../support/short-runs';
import { until } from '../support/until';
import type { World } from '../support/world';

const wait = { Prefer: 'wait=30' };
const add = (world: World, user: string, productId: string, quantity = 1) =>
  world.request('POST', `/carts/${user}/items`, { productId, quantity }, wait);

const untilDecided = (world: World, user: string, sequence: number) =>
  until(`${sequence} decisions`, async () => {
    const cart = await world.db('carts').where({ user_id: user }).first('sequence');
    return cart?.sequence >= sequence;
  });

/** How each cart is used whose history is recorded, by the name of the history. */
const stories: Readonly<Record<string, (world: World, user: string) => Promise<unknown>>> = {
  async fresh(world, user) {
    await add(world, user, 'pen', 2);
    await add(world, user, 'ink');
    await world.request('PUT', `/carts/${user}/items/pen`, { quantity: 5 }, wait);
    await world.request('DELETE', `/carts/${user}/items/ink`, undefined, wait);
    await world.request('DELETE', `/carts/${user}/items`, undefined, wait);
  },
  async 'checked-out'(world, user) {
    await add(world, user, 'pen', 2);
    await world.request('POST', `/carts/${user}/checkout`, undefined, wait);
    await add(world, user, 'pad');
  },
  async rejected(world, user) {
    await world.request('POST', `/carts/${user}/checkout`, undefined, wait);
    await add(world, user, 'pen', 999);
    await add(world, user, 'pen');
    const short = malformedSignals.filter(([, , args]) => (JSON.stringify(args)?.length ?? 0) < 2_000);
    // Signals that read alike are recorded once.
    const different = new Set<string>();
    for (const [, signal, args] of short) {
      await world.signal(user, signal, ...args);
      different.add(JSON.stringify(parseSignal(signal, ...args)));
      await untilDecided(world, user, 3 + different.size);
    }
  },
  async burst(world, user) {
    await Promise.all(Array.from({ length: 150 }, (_, index) => add(world, user, index % 3 ? 'pen' : 'ink')));
  },
  async 'continued-as-new'(world, user) {
    const handle = world.client.workflow.getHandle(cartWorkflowId(user));
    await add(world, user, 'pen');
    const { runId } = await handle.describe();
    await until('it continued as new', async () => {
      await add(world, user, 'ink');
      return (await handle.describe()).runId !== runId;
    });
    await add(world, user, 'pen');
  },
  async reset(world, user) {
    for (const product of ['pen', 'ink', 'pen']) await add(world, user, product);
    const run = buttonsOf(world, user);
    await run.reset((await run.tasks())[0]!);
    await add(world, user, 'pad');
  },
  async restarted(world, user) {
    await add(world, user, 'pen');
    await buttonsOf(world, user).terminate();
    await add(world, user, 'pen');
  },
  async repriced(world, user) {
    const offer = (unitPrice: number) =>
      world.request('PUT', '/products/ring', { name: 'Ring', unitPrice, currency: 'EUR' });
    await offer(500);
    await add(world, user, 'ring');
    await offer(700);
    const checkOut = (body: object) => world.request('POST', `/carts/${user}/checkout`, body, wait);
    await checkOut({ expectedTotal: 500 });
    await checkOut({ expectedTotal: 700, acceptChanges: true });
  },
  async batched(world, user) {
    const addPen = { type: 'addItem', productId: 'pen', attributes: { size: 'L', engraving: 'Für Anna' } };
    const note = { type: 'changeNote', note: 'Please ring twice.' };
    for (const commands of [
      [addPen, note, { type: 'checkOut' }],
      [addPen, { type: 'removeItem', lineId: 'ink' }],
    ]) {
      await world.request('POST', `/carts/${user}/commands`, { commands }, wait);
    }
    const commands = [addPen, { type: 'changeItemQuantity', lineId: 'ink', quantity: 2 }];
    await world.request('POST', `/carts/${user}/commands`, { commands, atomic: true }, wait);
  },
  async 'handed-over'(world, user) {
    await add(world, user, 'pen', 2);
    await world.request('PUT', `/carts/${user}/note`, { note: 'Please ring twice.' }, wait);
    await world.request('POST', `/carts/${user}-to/merge`, { from: user }, wait);
    await add(world, user, 'pen');
  },
  async merged(world, user) {
    await add(world, `${user}-from`, 'pen', 999);
    await add(world, user, 'pen', 2);
    await world.request('PUT', `/carts/${user}/note`, { note: 'Please ring twice.' }, wait);
    await world.request('POST', `/carts/${user}/merge`, { from: `${user}-from` }, wait);
  },
  async delivered(world, user) {
    await add(world, user, 'pen');
    await world.stopWorker();
    for (const product of ['ink', 'pad']) {
      await world.request('POST', `/carts/${user}/items`, { productId: product });
    }
    await buttonsOf(world, user).terminate();
    await world.startWorker();
    await add(world, user, 'pen');
    await world.signal(user, deliverSignalName);
    await add(world, user, 'pen');
  },
};

let world: ShortRunWorld;
beforeAll(async () => {
  // Few events, so that a history that continues as new is short enough to read.
  world = await openShortRunWorld(80);
});
afterAll(() => world?.close());

it.each(Object.entries(stories))('records %s', async (name, useCart) => {
  await useCart(world, name);
  const { workflow } = world.client;
  // The newest run, and for a chain also the run before it: its last event contains what it handed over.
  const newest = await workflow.getHandle(cartWorkflowId(name)).fetchHistory();
  const previous = newest.events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId;
  await write(name, newest);
  if (previous)
    await write(`${name}-first-run`, await workflow.getHandle(cartWorkflowId(name), previous).fetchHistory());
});

async function write(name: string, history: Parameters<typeof historyToJSON>[0]): Promise<void> {
  const json = JSON.stringify(JSON.parse(historyToJSON(history)), undefined, 1);
  // Histories of a released version stay as they are: raise the version to record new ones.
  await writeFile(path.join(__dirname, `${version}-${name}.json`), `${json}\n`, { flag: 'wx' });
}
