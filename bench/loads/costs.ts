import type { Client } from '@temporalio/client';
import { bundleCartWorkflow } from '../../src/worker/bundle';
import { bundleDesign } from '../alternatives/simple-worker';
import { type Contestant, sendOverHttp } from '../contestants';
import type { Ground } from '../ground';
import { median, runAtOnce, spread, until } from '../measure';
import type { Line } from '../report';
import { cpuOfServers } from '../servers';
import type { Scale } from './commands';
import { manyCarts, oldCarts, projectOneByOne } from './past';

const load = 'costs';
const line = (what: string, value: number, more: Partial<Line> = {}): Line => ({
  load,
  what,
  figure: spread([value]),
  ...more,
});

/** What commands cost in Temporal: events, bytes and billed actions of the histories of some carts. */
export async function historyCosts(ground: Ground): Promise<Line[]> {
  const carts = Array.from({ length: 20 }, (_, n) => `cost-${n}`);
  const { cart } = ground.designs;
  const wait = { Prefer: 'wait=10' };
  // More in the cart than the commands to come add, so that no search attribute changes.
  for (const user of carts) for (let n = 0; n < 20; n += 1) await sendOverHttp(ground.http.commands, user, wait);
  const lone = await spent(ground.client, cart, carts, async (user) => {
    for (let n = 0; n < 10; n += 1) await sendOverHttp(ground.http.commands, user, wait);
    return 10;
  });
  const bursts = await spent(ground.client, cart, carts, async (user) => {
    for (let n = 0; n < 5; n += 1) {
      await Promise.all(Array.from({ length: 5 }, () => sendOverHttp(ground.http.commands, user, wait)));
    }
    return 25;
  });
  const fresh = await spent(
    ground.client,
    cart,
    carts.map((user) => `${user}-fresh`),
    async (user) => {
      await sendOverHttp(ground.http.commands, user, wait);
      return 1;
    },
  );
  return [
    line('history events of a lone command', lone.events, { goal: { atMost: 10 } }),
    line('history events of a command, 5 at once', bursts.events, { goal: { atMost: 3 } }),
    line('history events of a new cart with one command', fresh.events),
    line('history bytes of a lone command', lone.bytes),
    line('history bytes of a command, 5 at once', bursts.bytes),
    line('Temporal Cloud actions of a lone command', lone.actions),
    line('Temporal Cloud actions of a command, 5 at once', bursts.actions),
    line('Temporal Cloud actions of a new cart with one command', fresh.actions),
  ];
}

/** As https://docs.temporal.io/cloud/actions has them: what of an event's kinds is billed as an action. */
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
export async function processCosts(ground: Ground, { of }: Scale): Promise<Line[]> {
  const send = (prefix: string, carts: number, headers?: Record<string, string>) => async (commands: number) => {
    const before = await ground.designs.cart.projected(prefix);
    await runAtOnce(commands, 32, (n) => sendOverHttp(ground.http.commands, `${prefix}${n % carts}`, headers));
    await until('all is projected', async () => (await ground.designs.cart.projected(prefix)) >= before + commands);
  };
  const together = send('together-', 100);
  await together(100);
  const busy = await cpuPer(ground, of(2_000), together);
  const alone = send('alone-', of(1_000), { Prefer: 'wait=10' });
  await alone(of(1_000));
  const lone = await cpuPer(ground, of(2_000), alone);
  const [own, floor] = await Promise.all([bundleCartWorkflow(), bundleDesign('floor')]);
  const memory = {
    cart: await memoryPerWorkflow(ground, 'cart', of),
    floor: await memoryPerWorkflow(ground, 'floor', of),
  };
  return [
    ...Object.entries(busy).map(([who, ms]) => line(`${who} CPU ms of a command, 100 warm carts`, ms)),
    ...Object.entries(lone).map(([who, ms]) => line(`${who} CPU ms of a command alone in its cart`, ms)),
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

/** Processor milliseconds of each process for one of `count` commands; of the servers, where they are embedded. */
async function cpuPer(
  ground: Ground,
  count: number,
  run: (count: number) => Promise<void>,
): Promise<Record<string, number>> {
  const usages = async (): Promise<Record<string, number>> => ({
    worker: (await ground.children.cart.usage()).cpuMs,
    'command API': (await ground.children.commands.usage()).cpuMs,
    ...(await cpuOfServers(ground.servers)),
  });
  const before = await usages();
  await run(count);
  const after = await usages();
  return Object.fromEntries(Object.entries(after).map(([who, ms]) => [who, (ms - before[who]!) / count]));
}

/** A worker that has just begun, before and after this many workflows began on it; all stay in its cache. */
async function memoryPerWorkflow(ground: Ground, design: 'cart' | 'floor', of: Scale['of']) {
  const workflows = of(1_500);
  await ground.restart(design);
  const { send, projected } = ground.designs[design];
  const prefix = `memory-${Date.now()}-`;
  const begin = async (name: string, count: number) => {
    const { begunWorkflows } = await ground.children[design].usage();
    await runAtOnce(count, 16, (n) => send(`${prefix}${name}${n}`));
    await until('all are projected', async () => (await projected(`${prefix}${name}`)) >= count);
    const begun = async () => (await ground.children[design].usage()).begunWorkflows - begunWorkflows;
    if (design === 'floor') await until('all have begun', async () => (await begun()) >= count);
  };
  await begin('warm-up-', 100);
  const before = await ground.children[design].usage('collect');
  await begin('', workflows);
  const after = await ground.children[design].usage('collect');
  return { bytes: (after.rss - before.rss) / workflows, cpuMs: (after.cpuMs - before.cpuMs) / workflows };
}

/** What events cost in Postgres, and how the cost of projecting a command grows. */
export async function storageCosts(ground: Ground, { of }: Scale): Promise<Line[]> {
  const lines: Line[] = [];
  const { db, drop } = await ground.createDatabase();
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
