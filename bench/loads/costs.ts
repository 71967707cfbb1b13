import type { Client } from '@temporalio/client';
import { bundleCartWorkflow } from '../../src/worker/bundle';
import { bundleDesign } from '../alternatives/simple-worker';
import { type Contestant, sendOverHttp } from '../contestants';
import { median, runAtOnce, type Scale, spread, until } from '../measure';
import type { Line } from '../report';
import { cpuOfServers } from '../servers';
import type { Setup } from '../setup';
import { manyCarts, oldCarts, projectOneByOne } from './past';

const load = 'costs';
const line = (what: string, value: number, more: Partial<Line> = {}): Line => ({
  load,
  what,
  figure: spread([value]),
  ...more,
});

/** What commands cost in Temporal: events, bytes and billed actions, read from the histories of some carts. */
export async function historyCosts(setup: Setup): Promise<Line[]> {
  const carts = Array.from({ length: 20 }, (_, n) => `cost-${n}`);
  const { cart } = setup.designs;
  const wait = { Prefer: 'wait=10' };
  // The cart holds more than the measured commands add, so that they change no search attribute.
  for (const user of carts) for (let n = 0; n < 20; n += 1) await sendOverHttp(setup.http.commands, user, wait);
  const lone = await spent(setup.client, cart, carts, async (user) => {
    for (let n = 0; n < 10; n += 1) await sendOverHttp(setup.http.commands, user, wait);
    return 10;
  });
  const bursts = await spent(setup.client, cart, carts, async (user) => {
    for (let n = 0; n < 5; n += 1) {
      await Promise.all(Array.from({ length: 5 }, () => sendOverHttp(setup.http.commands, user, wait)));
    }
    return 25;
  });
  const fresh = await spent(
    setup.client,
    cart,
    carts.map((user) => `${user}-fresh`),
    async (user) => {
      await sendOverHttp(setup.http.commands, user, wait);
      return 1;
    },
  );
  return [
    line('history events of a lone command', lone.events, { goal: { atMost: 6 } }),
    line('history events of a command, 5 at once', bursts.events, { goal: { atMost: 3 } }),
    line('history events of a new cart with one command', fresh.events),
    line('history bytes of a lone command', lone.bytes),
    line('history bytes of a command, 5 at once', bursts.bytes),
    line('Temporal Cloud actions of a lone command', lone.actions),
    line('Temporal Cloud actions of a command, 5 at once', bursts.actions),
    line('Temporal Cloud actions of a new cart with one command', fresh.actions),
  ];
}

/** The kinds of events that are billed as an action, see https://docs.temporal.io/cloud/actions. */
const billed =
  /^(workflowExecutionStarted|workflowExecutionSignaled|activityTaskScheduled|timerStarted|upsertWorkflowSearchAttributes|markerRecorded)EventAttributes$/;

async function spent(
  client: Client,
  cart: Contestant,
  users: readonly string[],
  send: (user: string) => Promise<number>,
) {
  const read = async (user: string) => {
    const handle = client.workflow.getHandle(cart.workflowId(user));
    const info = await handle.describe().catch(() => undefined);
    if (info === undefined) return { events: 0, bytes: 0, actions: 0 };
    const kinds = ((await handle.fetchHistory()).events ?? []).flatMap((event) =>
      Object.entries(event).filter(([name, value]) => value != null && billed.test(name)),
    );
    return { events: info.historyLength, bytes: info.historySize ?? 0, actions: kinds.length };
  };
  const settled = async (user: string) => {
    let last = -1;
    await until(
      'the last workflow task has ended',
      async () => {
        const { events } = await read(user);
        const isSettled = events === last;
        last = events;
        return isSettled;
      },
      200,
    );
    return read(user);
  };
  const totals = { events: 0, bytes: 0, actions: 0 };
  let commands = 0;
  for (const user of users) {
    const before = await settled(user);
    commands += await send(user);
    const after = await settled(user);
    for (const key of ['events', 'bytes', 'actions'] as const) totals[key] += after[key] - before[key];
  }
  return { events: totals.events / commands, bytes: totals.bytes / commands, actions: totals.actions / commands };
}

/** What commands and new carts cost in processor time and memory. */
export async function processCosts(setup: Setup, { of }: Scale): Promise<Line[]> {
  const send = (prefix: string, carts: number, headers?: Record<string, string>) => async (commands: number) => {
    const before = await setup.designs.cart.projected(prefix);
    await runAtOnce(commands, 32, (n) => sendOverHttp(setup.http.commands, `${prefix}${n % carts}`, headers));
    await until(
      'all commands are projected',
      async () => (await setup.designs.cart.projected(prefix)) >= before + commands,
    );
  };
  const together = send('together-', 100);
  await together(100);
  const busy = await cpuPer(setup, of(2_000), together);
  const alone = send('alone-', of(1_000), { Prefer: 'wait=10' });
  await alone(of(1_000));
  const lone = await cpuPer(setup, of(2_000), alone);
  const [own, floor] = await Promise.all([bundleCartWorkflow(), bundleDesign('floor')]);
  const memory = {
    cart: await memoryPerWorkflow(setup, 'cart', of),
    floor: await memoryPerWorkflow(setup, 'floor', of),
  };
  return [
    ...Object.entries(busy).map(([who, ms]) => line(`${who} CPU ms of a command, 100 warm carts`, ms)),
    ...Object.entries(lone).map(([who, ms]) => line(`${who} CPU ms of a command alone in its cart`, ms)),
    line('CPU ms of a command alone in its cart, all processes', sum(Object.values(lone)), { goal: { atMost: 13 } }),
    line('bundle bytes ÷ an empty workflow’s', own.code.length / floor.code.length, {
      from: { cart: own.code.length, floor: floor.code.length },
    }),
    line('worker CPU ms of a new cart ÷ of an empty workflow', memory.cart.cpuMs / memory.floor.cpuMs, {
      from: { cart: memory.cart.cpuMs, floor: memory.floor.cpuMs },
    }),
    line('memory of a cached cart ÷ of an empty workflow', memory.cart.bytes / memory.floor.bytes, {
      goal: { atMost: 1.2 },
      from: { 'cart kB': memory.cart.bytes / 1_000, 'floor kB': memory.floor.bytes / 1_000 },
    }),
  ];
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

/** Processor milliseconds per command, by process; of the servers only where they are embedded. */
async function cpuPer(
  setup: Setup,
  count: number,
  run: (count: number) => Promise<void>,
): Promise<Record<string, number>> {
  const usages = async (): Promise<Record<string, number>> => ({
    worker: (await setup.children.cart.usage()).cpuMs,
    'command API': (await setup.children.commands.usage()).cpuMs,
    ...(await cpuOfServers(setup.servers)),
  });
  const before = await usages();
  await run(count);
  const after = await usages();
  return Object.fromEntries(Object.entries(after).map(([who, ms]) => [who, (ms - before[who]!) / count]));
}

/** Memory and processor time of a new worker per workflow that starts on it; all workflows stay in its cache. */
async function memoryPerWorkflow(setup: Setup, design: 'cart' | 'floor', of: Scale['of']) {
  const workflows = of(1_500);
  await setup.restart(design);
  const { send, projected } = setup.designs[design];
  const prefix = `memory-${Date.now()}-`;
  const start = async (name: string, count: number) => {
    const { startedWorkflows } = await setup.children[design].usage();
    await runAtOnce(count, 16, (n) => send(`${prefix}${name}${n}`));
    await until('all are projected', async () => (await projected(`${prefix}${name}`)) >= count);
    const started = async () => (await setup.children[design].usage()).startedWorkflows - startedWorkflows;
    if (design === 'floor') await until('all have started', async () => (await started()) >= count);
  };
  await start('warm-up-', 100);
  const before = await setup.children[design].usage('collect');
  await start('', workflows);
  const after = await setup.children[design].usage('collect');
  return { bytes: (after.rss - before.rss) / workflows, cpuMs: (after.cpuMs - before.cpuMs) / workflows };
}

/** How soon a worker does its first task after its start, and its memory with many carts in its cache. */
export async function cachedCarts(setup: Setup, { rounds, of }: Scale): Promise<Line[]> {
  const carts = of(10_000);
  const wait = { Prefer: 'wait=10' };
  const send = (userId: string) => sendOverHttp(setup.http.commands, userId, wait);
  const starts: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const started = performance.now();
    await setup.restart('cart', 'many-carts');
    await send(`first-${Date.now()}`);
    starts.push(performance.now() - started);
  }
  await runAtOnce(100, 32, (n) => send(`warm-up-${n}`));
  const before = await setup.children.cart.usage('collect');
  await runAtOnce(carts, 32, (n) => send(`cached-${n}`));
  const after = await setup.children.cart.usage('collect');
  await setup.restart('cart');
  return [
    { ...line('ms from the start of a worker until its first command is projected', 0), figure: spread(starts) },
    line(`MB of a worker with ${carts} cached carts`, after.rss / 1_000_000),
    line('kB of each of them', (after.rss - before.rss) / carts / 1_000),
  ];
}

/** How many bytes events take in Postgres, and how the time to project a command grows. */
export async function storageCosts(setup: Setup, { of }: Scale): Promise<Line[]> {
  const lines: Line[] = [];
  const { db, drop } = await setup.createDatabase();
  try {
    const bytesPerEvent = async (what: string) => {
      const { rows } = await db.raw(`
        select (select count(*) from cart_events)::float as events,
               (pg_total_relation_size('cart_events') + pg_total_relation_size('cart_commands'))::float as log,
               pg_total_relation_size('cart_item_history')::float as history,
               (pg_total_relation_size('carts') + pg_total_relation_size('cart_items'))::float as now`);
      const { events, ...bytes } = rows[0] as { events: number; log: number; history: number; now: number };
      for (const [name, size] of Object.entries(bytes)) {
        lines.push(line(`Postgres bytes an event, ${name}, ${what}`, size / events));
      }
    };
    await manyCarts(db, of(20_000));
    await bytesPerEvent('carts of 3 events');
    for (const [size, steps] of [
      ['1 line', 1],
      ['10 lines', 10],
      ['100 lines', 100],
    ] as const) {
      const ms = median(await projectOneByOne(db, steps, 100));
      lines.push(line(`ms to project a command, cart of ${size}`, ms));
    }
    for (const cart of await oldCarts(db, [10, 1_000, 10_000])) {
      const ms = median(await projectOneByOne(db, 1, 100, cart));
      lines.push(line(`ms to project a command, cart of ${cart.events} events`, ms));
    }
  } finally {
    await drop();
  }
  return lines;
}
