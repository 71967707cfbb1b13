import { randomInt } from 'node:crypto';
import { ask, type Http } from '../http';
import { alternate, median, rate, ratios, runAtOnce, type Scale, spread } from '../measure';
import type { Line } from '../report';
import type { Setup } from '../setup';
import { manyCarts } from './past';

const reads = 8_000;
const atOnce = 16;

/** Reads of the same cart, and of random carts out of very many. */
export async function reading(setup: Setup, { rounds, of }: Scale): Promise<Line[]> {
  const carts = await manyCarts(setup.db, of(100_000));
  const tutorial = 'read-tutorial';
  await runAtOnce(20, 1, () => setup.designs.tutorial.send(tutorial));
  const handle = setup.client.workflow.getHandle(setup.designs.tutorial.workflowId(tutorial));
  const lines: Line[] = [];
  const over = (load: string, theirs: string, ours: number[], others: number[], atLeast: number) =>
    lines.push({
      load,
      what: `reads a second ÷ ${theirs}`,
      figure: spread(ratios(ours, others)),
      goal: { atLeast },
      from: { cart: median(ours), [theirs]: median(others) },
    });
  for (const [load, user] of [
    ['reads of one cart', () => 'many-1'],
    [`reads of ${carts} carts`, () => `many-${randomInt(carts)}`],
  ] as const) {
    const read = (http: Http) => () =>
      rate(of(reads), () => runAtOnce(of(reads), atOnce, () => ask(http, 'GET', `/carts/${user()}`)));
    const query = () => rate(of(600), () => runAtOnce(of(600), atOnce, () => handle.query('cart')));
    const contestants = { cart: read(setup.http.queries), bare: read(setup.http['bare-reads']), query };
    for (const warmUp of Object.values(contestants)) await warmUp();
    const figures = await alternate(rounds, contestants);
    over(load, 'bare Express', figures.cart, figures.bare, 0.85);
    over(load, 'a workflow query', figures.cart, figures.query, 15);
  }
  return lines;
}

/** Reports over all carts at an instant. */
export async function reporting({ db, http }: Setup, { rounds, of }: Scale): Promise<Line[]> {
  const carts = await manyCarts(db, of(100_000));
  const { rows } = await db.raw(
    "select min(occurred_at) as first, max(occurred_at) as last from cart_events where user_id like 'many-%'",
  );
  const { first, last } = rows[0] as { first: Date; last: Date };
  const at = () => new Date(first.getTime() + randomInt(last.getTime() - first.getTime())).toISOString();
  const p50 = (query: () => string) => async () =>
    median(await runAtOnce(5, 1, () => ask(http.queries, 'GET', `/reports/carts${query()}`)));
  const figures = await alternate(rounds, { past: p50(() => `?at=${at()}`), now: p50(() => '') });
  return [
    {
      load: `reports over ${carts} carts`,
      what: 'p50 of /reports/carts at an instant ÷ now',
      figure: spread(ratios(figures.past, figures.now)),
      from: { 'past ms': median(figures.past), 'now ms': median(figures.now) },
    },
  ];
}
