import { cartWorkflowId } from '../../src/contract/ids';
import { forEachAtOnce } from '../../src/recovery/each';
import { healAll } from '../../src/recovery/heal-all';
import { listUsers } from '../../src/temporal/histories/histories';
import type { History } from '../../src/temporal/histories/runs';
import type { Ground } from '../ground';
import { alternate, median, ratios, runAtOnce, spread, until } from '../measure';
import type { Line } from '../report';
import type { Scale } from './commands';

const carts = 400;
const bursts = 5;
const perBurst = 10;

/** All carts of the Temporal server again, in a database that is empty and in one that has them, beside their mere histories. */
export async function rebuilding(ground: Ground, { rounds, of }: Scale): Promise<Line[]> {
  const { client, designs } = ground;
  for (let burst = 1; burst <= bursts; burst += 1) {
    await runAtOnce(of(carts), 8, (n) =>
      Promise.all(Array.from({ length: perBurst }, () => designs.cart.send(`rebuild-${n}`))),
    );
    const sent = of(carts) * perBurst * burst;
    await until('all is projected', async () => (await designs.cart.projected('rebuild-')) >= sent);
  }
  const { db, drop } = await ground.createDatabase();
  const decisionsPerSecond = async (source: Parameters<typeof healAll>[0]) => {
    const started = performance.now();
    const { decisions, failed } = await healAll(source, () => {});
    if (failed.length > 0) throw new Error(`A cart could not be healed: ${failed[0]!.reason}`);
    return (decisions / (performance.now() - started)) * 1_000;
  };
  try {
    const source = { client, db };
    const { decisions } = await healAll(source, () => {});
    const figures = await alternate(rounds, {
      async fetch() {
        const started = performance.now();
        await forEachAtOnce(listUsers(source), 8, async (user) => {
          for (let runId: string | undefined = ''; runId !== undefined; ) {
            runId = previousRun(await client.workflow.getHandle(cartWorkflowId(user), runId).fetchHistory());
          }
        });
        return (decisions / (performance.now() - started)) * 1_000;
      },
      whole: () => decisionsPerSecond(source),
      async empty() {
        const other = await ground.createDatabase();
        return decisionsPerSecond({ client, db: other.db }).finally(other.drop);
      },
    });
    const over = (what: string, ours: number[], goal?: Line['goal']): Line => ({
      load: 'rebuild from Temporal',
      what: `decisions a second, ${what} ÷ merely fetching`,
      figure: spread(ratios(ours, figures.fetch)),
      ...(goal === undefined ? {} : { goal }),
      from: { ours: median(ours), fetching: median(figures.fetch) },
    });
    return [
      over('into an empty Postgres', figures.empty, { atLeast: 0.8 }),
      over('into one that lacks nothing', figures.whole),
    ];
  } finally {
    await drop();
  }
}

/** The run that continued as this one, if one did. */
const previousRun = (history: History): string | undefined =>
  history.events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId || undefined;
