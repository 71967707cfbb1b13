import { randomInt } from 'node:crypto';
import type { Ground } from '../ground';
import { ask, type Http } from '../http';
import { alternate, median, rate, ratios, runAtOnce, spread } from '../measure';
import type { Line } from '../report';
import type { Scale } from './commands';
import { manyCarts, oldCarts } from './past';

const reads = 8_000;
const atOnce = 16;

/** Reads of carts: the same one, and any of very many. */
export async function reading(ground: Ground, { rounds, of }: Scale): Promise<Line[]> {
  const carts = await manyCarts(ground.db, of(100_000));
  const tutorial = 'read-tutorial';
  await runAtOnce(20, 1, () => ground.designs.tutorial.send(tutorial));
  const handle = ground.client.workflow.getHandle(ground.designs.tutorial.workflowId(tutorial));
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
    const contestants = { cart: read(ground.http.queries), bare: read(ground.http['bare-reads']), query };
    for (const warmUp of Object.values(contestants)) await warmUp();
    const figures = await alternate(rounds, contestants);
    over(load, 'bare Express', figures.cart, figures.bare, 0.85);
    over(load, 'a workflow query', figures.cart, figures.query, 15);
  }
  return lines;
}

/** The cart at a version and at an instant, of carts with few and with many events, beside the cart now. */
export async function timeTravel(ground: Ground, { rounds, of }: Scale): Promise<Line[]> {
  const lines: Line[] = [];
  for (const cart of await oldCarts(ground.db, [10, 1_000, 10_000])) {
    const p50 = (query: () => string) => async () =>
      median(await runAtOnce(of(1_000), 1, () => ask(ground.http.queries, 'GET', `/carts/${cart.userId}${query()}`)));
    const contestants = {
      now: p50(() => ''),
      version: p50(() => `?version=${1 + randomInt(cart.events)}`),
      instant: p50(() => `?at=${new Date(cart.from + randomInt(cart.to - cart.from)).toISOString()}`),
    };
    for (const warmUp of Object.values(contestants)) await warmUp();
    const figures = await alternate(rounds, contestants);
    for (const [parameter, then] of [
      ['?version=', figures.version],
      ['?at=', figures.instant],
    ] as const) {
      const isAsked = parameter === '?version=' && cart.events === 10_000;
      lines.push({
        load: `time travel, ${cart.events} events`,
        what: `p50 of ${parameter} ÷ p50 of the cart now`,
        figure: spread(ratios(then, figures.now)),
        ...(isAsked ? { goal: { atMost: 1.3 } } : {}),
        from: { 'then ms': median(then), 'now ms': median(figures.now) },
      });
    }
  }
  return lines;
}

/** All carts at an instant, for operators. */
export async function reporting({ db, http }: Ground, { rounds, of }: Scale): Promise<Line[]> {
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
      from: { 'then ms': median(figures.past), 'now ms': median(figures.now) },
    },
  ];
}
