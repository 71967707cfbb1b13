import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { connectDatabase } from '../src/postgres/database';
import { forEachAtOnce } from '../src/recovery/each';
import { healAll } from '../src/recovery/heal-all';
import { rebuildAll } from '../src/recovery/rebuild';
import { verifyCart } from '../src/recovery/verify';
import type { HistorySource } from '../src/temporal/histories/histories';
import { readModelText } from '../test/support/model-tables';
import { until } from '../test/support/until';
import { openWorld, type World } from '../test/support/world';

const carts = Number(process.env.CARTS ?? 2_000);
const eventsPerCart = Number(process.env.EVENTS_PER_CART ?? 50);
const rounds = 5;
const commandsPerSecond = 50;
const minutes = 60_000;

let world: World;
let source: HistorySource;
beforeAll(async () => {
  world = await openWorld({ isAlone: true });
  source = {
    client: world.client,
    db: connectDatabase(world.databaseUrl, { poolSize: 10, name: 'bench', queryTimeoutMs: 10 * minutes }),
  };
  await fill();
}, 30 * minutes);
afterAll(async () => {
  await source.db.destroy();
  await world.close();
}, minutes);

/**
 * Every cart gets its events through its workflow, so that there are histories to rebuild from. The worker starts when all
 * commands are there, which is the fastest way to much history.
 */
async function fill(): Promise<void> {
  await world.stopWorker();
  async function* users() {
    for (let cart = 0; cart < carts; cart += 1) yield `user-${cart}`;
  }
  await forEachAtOnce(users(), 16, async (user) => {
    for (let event = 0; event < eventsPerCart; event += 1) {
      const productId = `p${event % 20}`;
      const envelope = { commandId: randomUUID(), issuedAt: new Date().toISOString(), actor: `user:${user}` };
      const item = {
        productId,
        name: `Product ${productId}`,
        unitPrice: 100 + (event % 20),
        currency: 'EUR',
        quantity: 1,
      };
      await world.signal(user, 'addItem', { ...envelope, ...item });
    }
  });
  await world.startWorker();
  await untilSlowly(
    'all is projected',
    async () => Number((await world.db('carts').sum('version as n').first())?.n) >= carts * eventsPerCart,
  );
}

/** As `until`, for what takes many minutes. */
async function untilSlowly(what: string, ask: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; !(await ask()); attempt += 1) {
    if (attempt > 1_200) throw new Error(`This did not happen within 20 minutes: ${what}`);
    await delay(1_000);
  }
}

/** Sends commands at a steady rate and reads as fast as it can. @returns how to stop it, and then what came of it. */
function startTraffic() {
  let isOver = false;
  const answers = { commands: 0, failedCommands: 0, reads: 0, failedReads: 0 };
  const user = () => `user-${randomInt(carts)}`;
  const commanding = (async () => {
    const sent: Promise<void>[] = [];
    for (; !isOver; await delay(1_000 / commandsPerSecond)) {
      sent.push(
        world.request('POST', `/carts/${user()}/items`, { productId: 'pen' }).then(({ status }) => {
          answers.commands += 1;
          if (status !== 202) answers.failedCommands += 1;
        }),
      );
    }
    await Promise.all(sent);
  })();
  const reading = (async () => {
    for (; !isOver; await delay(5)) {
      const { status } = await world.request('GET', `/carts/${user()}`);
      answers.reads += 1;
      if (status !== 200) answers.failedReads += 1;
    }
  })();
  return async () => {
    isOver = true;
    await Promise.all([commanding, reading]);
    return answers;
  };
}

async function timed<T>(task: () => Promise<T>): Promise<{ seconds: number; result: T }> {
  const started = performance.now();
  const result = await task();
  return { seconds: (performance.now() - started) / 1_000, result };
}

const totalDecisions = async () => Number((await world.db('carts').sum('sequence as n').first())?.n);
const totalEvents = async () => Number((await world.db('cart_events').count('* as n').first())?.n);

const heal = async () => expect((await healAll(source, () => {})).failed).toEqual([]);
const rebuild = () => rebuildAll(source.db, () => {});

/** Every run's history in full, by the SDK, as many at once as healing reads carts. */
const fetchHistories = () =>
  forEachAtOnce(world.client.workflow.list({ query: "WorkflowType = 'cartWorkflow'" }), 8, async (run) => {
    await world.client.workflow.getHandle(run.workflowId, run.runId).fetchHistory();
  });

const loseEverything = () =>
  world.db.transaction(async (trx) => {
    await trx.raw("set local session_replication_role = 'replica'");
    await trx.raw('truncate cart_commands, cart_events, carts, cart_items, cart_item_history');
  });

/** What is timed without traffic. The first is what the others are held against. */
const contestants: { what: string; prepare?: () => Promise<void>; task: () => Promise<unknown> }[] = [
  { what: 'merely fetching the histories', task: fetchHistories },
  { what: 'healing, nothing is missing', task: heal },
  { what: 'healing, everything is missing', prepare: loseEverything, task: heal },
  { what: 'rebuilding from temporal', task: () => heal().then(rebuild) },
  { what: 'rebuilding from log', task: rebuild },
];

/**
 * Times each in turn, round after round, so that whatever else the machine does slows all alike; the first round warms up.
 * @returns the medians of the seconds, and of the ratios to the first within each round.
 */
async function measureQuietly() {
  const times = contestants.map((): number[] => []);
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, { prepare, task }] of contestants.entries()) {
      await prepare?.();
      const { seconds } = await timed(task);
      if (round > 0) times[index]!.push(seconds);
    }
  }
  return contestants.map(({ what }, index) => ({
    what,
    seconds: median(times[index]!),
    ratio: median(times[index]!.map((seconds, round) => times[0]![round]! / seconds)),
  }));
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

it(
  'rebuilds while commands and queries go on',
  async () => {
    const rows: Record<string, unknown>[] = [];
    let accepted = 0;
    const report = (what: string, events: number, seconds: number, more = {}) =>
      rows.push({ what, events, seconds: seconds.toFixed(1), 'events/s': Math.round(events / seconds), ...more });

    for (const { what, seconds, ratio } of await measureQuietly()) {
      report(what, await totalEvents(), seconds, { '÷ merely fetching': ratio.toFixed(2) });
    }
    for (const from of ['log', 'temporal'] as const) {
      const stopTraffic = startTraffic();
      const { seconds, result: failed } = await timed(async () => {
        const healed = from === 'temporal' ? await healAll(source, () => {}) : { failed: [] };
        await rebuildAll(source.db, () => {});
        return healed.failed;
      });
      const { commands, failedCommands, reads, failedReads } = await stopTraffic();
      accepted += commands - failedCommands;
      report(`rebuilding from ${from}, with traffic`, await totalEvents(), seconds, {
        commands,
        failedCommands,
        reads,
        failedReads,
      });
      expect({ failed, failedCommands, failedReads }).toEqual({ failed: [], failedCommands: 0, failedReads: 0 });
    }
    console.table(rows);

    await until('all is projected', async () => (await totalDecisions()) === carts * eventsPerCart + accepted);
    const before = await readModelText(world.db);
    expect((await rebuildAll(source.db, () => {})).differed).toEqual([]);
    expect(await readModelText(world.db)).toEqual(before);
    for (let sample = 0; sample < 50; sample += 1) {
      expect((await verifyCart(world.db, `user-${randomInt(carts)}`, [])).findings).toEqual([]);
    }
  },
  60 * minutes,
);
