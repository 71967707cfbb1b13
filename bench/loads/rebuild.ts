import { cartWorkflowId } from '../../src/contract/ids';
import { healAll } from '../../src/recovery/heal-all';
import { rebuildAll } from '../../src/recovery/rebuild';
import { verifyCart } from '../../src/recovery/verify';
import { forEachAtOnce } from '../../src/temporal/histories/each';
import { type HistorySource, listUsers } from '../../src/temporal/histories/histories';
import { asProjected } from '../../src/temporal/histories/read-decisions';
import type { History } from '../../src/temporal/histories/runs';
import { alternate, median, ratios, runAtOnce, type Scale, spread, until } from '../measure';
import type { Line } from '../report';
import type { Setup } from '../setup';
import { type Traffic, withTraffic } from './traffic';

const carts = 2_000;
const bursts = 5;
const commandsPerBurst = 10;

/** Rebuilds of all carts of the Temporal server: how fast they are, alone and while commands and reads continue. */
export async function rebuilding(setup: Setup, scale: Scale): Promise<Line[]> {
  const users = await fillCarts(setup, scale);
  const lines = [...(await rebuildAlone(setup, scale)), ...(await rebuildWithTraffic(setup, scale, users))];
  await verifySample(setup, users, scale);
  return lines;
}

const prefix = 'rebuild-';

/** Sends commands to all carts, so that there are histories to rebuild from. @returns the users. */
async function fillCarts({ designs }: Setup, { of }: Scale): Promise<string[]> {
  const users = Array.from({ length: of(carts) }, (_, n) => `${prefix}${n}`);
  for (let burst = 1; burst <= bursts; burst += 1) {
    await runAtOnce(users.length, 8, (n) =>
      Promise.all(Array.from({ length: commandsPerBurst }, () => designs.cart.send(users[n]!))),
    );
    const sent = users.length * commandsPerBurst * burst;
    await until('all commands are projected', async () => (await designs.cart.projected(prefix)) >= sent);
  }
  return users;
}

/** Heals all carts. @returns the number of their decisions. @throws Error where a cart could not be healed. */
async function heal(source: HistorySource): Promise<number> {
  const { decisions, failed } = await healAll(source, () => {});
  if (failed.length > 0) throw new Error(`A cart could not be healed: ${failed[0]!.reason}`);
  return decisions;
}

/** Rebuilds the read model from the log. @throws Error where it was not what the log makes. */
async function rebuild({ db }: HistorySource): Promise<void> {
  const { differed } = await rebuildAll(db, () => {});
  if (differed.length > 0)
    throw new Error(`The read model of ${differed[0]} and ${differed.length - 1} others differed.`);
}

/** Heals and rebuilds databases that no role uses, compared with only fetching the histories. */
async function rebuildAlone(setup: Setup, { rounds }: Scale): Promise<Line[]> {
  const { client } = setup;
  const { db, drop } = await setup.createDatabase();
  const source = { client, db };
  try {
    const decisions = await heal(source);
    const perSecond = (task: () => Promise<unknown>) => async () => (decisions / (await msOf(task))) * 1_000;
    const figures = await alternate(rounds, {
      fetch: perSecond(() => fetchHistories(source)),
      whole: perSecond(() => heal(source)),
      async empty() {
        const other = await setup.createDatabase();
        return perSecond(() => heal({ client, db: other.db }))().finally(other.drop);
      },
      log: perSecond(() => rebuild(source)),
      temporal: perSecond(() => heal(source).then(() => rebuild(source))),
    });
    const line = (load: string, what: string, ours: number[], goal?: Line['goal']): Line => ({
      load,
      what: `decisions per second${what} ÷ only fetching`,
      figure: spread(ratios(ours, figures.fetch)),
      ...(goal === undefined ? {} : { goal }),
      from: { ours: median(ours), fetching: median(figures.fetch) },
    });
    return [
      line('heal from Temporal', ', an empty Postgres', figures.empty, { atLeast: 0.8 }),
      line('heal from Temporal', ', a Postgres that lacks nothing', figures.whole),
      line('rebuild from the log', '', figures.log),
      line('rebuild from Temporal', '', figures.temporal),
    ];
  } finally {
    await drop();
  }
}

async function msOf(task: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await task();
  return performance.now() - started;
}

async function fetchHistories({ client, db }: HistorySource): Promise<void> {
  await forEachAtOnce(listUsers({ client, db }), 8, async (user) => {
    for (let runId: string | undefined = ''; runId !== undefined; ) {
      runId = previousRun(await client.workflow.getHandle(cartWorkflowId(user), runId).fetchHistory());
    }
  });
}

/** The run that this one continues, if there is one. */
const previousRun = (history: History): string | undefined =>
  history.events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId || undefined;

/** Rebuilds the database that the roles use, with and without commands and reads. */
async function rebuildWithTraffic(setup: Setup, { rounds }: Scale, users: readonly string[]): Promise<Line[]> {
  const lines: Line[] = [];
  const tasks = {
    'the log': () => rebuild(setup),
    Temporal: () => heal(setup).then(() => rebuild(setup)),
  };
  for (const [from, task] of Object.entries(tasks)) {
    const sums = { commands: 0, failedCommands: 0, reads: 0, failedReads: 0 };
    const figures = await alternate(rounds, {
      alone: () => msOf(task),
      async withTraffic() {
        const { result, traffic } = await withTraffic(setup, users, () => msOf(task));
        for (const key of Object.keys(sums) as (keyof Traffic)[]) sums[key] += traffic[key];
        return result;
      },
    });
    const load = `rebuild from ${from}, with traffic`;
    lines.push(
      {
        load,
        what: 'speed ÷ speed without traffic',
        figure: spread(ratios(figures.alone, figures.withTraffic)),
        from: { 'ms with': median(figures.withTraffic), 'ms without': median(figures.alone) },
      },
      failures(load, 'failed commands', sums.failedCommands, { commands: sums.commands }),
      failures(load, 'failed reads', sums.failedReads, { reads: sums.reads }),
    );
  }
  return lines;
}

const failures = (load: string, what: string, failed: number, from: Line['from'] & object): Line => ({
  load,
  what,
  figure: spread([failed]),
  goal: { atMost: 0 },
  from,
});

/** Verifies some carts. @throws Error at the first finding. */
async function verifySample({ db }: Setup, users: readonly string[], { of }: Scale): Promise<void> {
  for (const user of users.slice(0, of(50))) {
    const { findings } = await verifyCart(db, user, asProjected([]));
    if (findings.length > 0) throw new Error(`${user}, ${findings[0]!.where}: ${findings[0]!.what}`);
  }
}
