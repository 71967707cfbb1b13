import { randomInt } from 'node:crypto';
import type { Design } from '../contestants';
import { alternate, median, quantile, rate, ratios, runAtOnce, type Scale, spread, until } from '../measure';
import type { Line } from '../report';
import type { Setup } from '../setup';

const atOnce = 32;
/** Longer than the timeouts of Temporal's tasks: the server works through their timers when they are due. */
const restMs = 11_000;

/** The commands of a load, and their carts. */
interface Shape {
  readonly load: string;
  readonly commands: number;
  /** The user that the n-th command is for. */
  readonly userOf: (n: number, round: number) => string;
  /** How many commands are sent to the same cart at once. */
  readonly burst?: number;
  readonly warmUp?: readonly string[];
  readonly designs: readonly Design[];
}

/**
 * Commands per second, from the first one sent until the last one is projected. The floor projects none: it is measured
 * until Temporal has accepted the last one.
 */
async function measure(setup: Setup, { rounds, of }: Scale, shape: Shape): Promise<Record<Design, number[]>> {
  const { commands, burst = 1, userOf, warmUp = [], designs } = shape;
  const prefix = `${shape.load.replace(/\W+/g, '-')}-`;
  const sent = {} as Record<Design, number>;
  for (const design of designs) {
    const { send, sendAndWait } = setup.designs[design];
    // Some processes start with their first command.
    if (design !== 'tutorial') await sendAndWait(`opening-${design}`);
    await runAtOnce(warmUp.length, atOnce, (n) => send(`${prefix}${design}-${warmUp[n]}`));
    sent[design] = warmUp.length;
  }
  const contestant = (design: Design) => async (round: number) => {
    const { send, projected } = setup.designs[design];
    const own = `${prefix}${design}-`;
    const startedBefore = (await setup.children.floor.usage()).startedWorkflows;
    sent[design] += commands;
    return rate(commands, async () => {
      await runAtOnce(commands / burst, atOnce, (n) => {
        const user = `${own}${userOf(n, round)}`;
        return Promise.all(Array.from({ length: burst }, () => send(user)));
      });
      await until('all commands are projected', async () => (await projected(own)) >= sent[design]);
      if (design === 'floor' && warmUp.length === 0) {
        const started = async () => (await setup.children.floor.usage()).startedWorkflows - startedBefore;
        await until('all workflows have started', async () => (await started()) >= commands);
      }
    });
  };
  const contestants = Object.fromEntries(designs.map((design) => [design, contestant(design)]));
  return alternate(rounds, contestants, Math.min(restMs, of(2 * restMs))) as Promise<Record<Design, number[]>>;
}

const over = (
  load: string,
  figures: Record<Design, number[]>,
  ours: Design,
  theirs: Design,
  goal?: Line['goal'],
): Line => ({
  load,
  what: `${ours === 'http' ? 'over HTTP, projected' : 'projected'} per second ÷ ${theirs}`,
  figure: spread(ratios(figures[ours], figures[theirs])),
  ...(goal === undefined ? {} : { goal }),
  from: { [ours]: median(figures[ours]), [theirs]: median(figures[theirs]) },
});

const users = (count: number) => Array.from({ length: count }, (_, n) => `${n}`);

/** 100 carts in use, 32 commands at the same time. */
export async function warmCarts(setup: Setup, scale: Scale): Promise<Line[]> {
  const load = '100 warm carts';
  const figures = await measure(setup, scale, {
    load,
    commands: scale.of(5_000),
    userOf: () => `${randomInt(100)}`,
    warmUp: users(100),
    designs: ['floor', 'cart', 'http', 'tutorial', 'update', 'emmett', 'restate', 'dbos', 'plain'],
  });
  return [
    over(load, figures, 'cart', 'floor', { atLeast: 0.8 }),
    over(load, figures, 'http', 'floor', { atLeast: 0.7 }),
    over(load, figures, 'cart', 'tutorial', { atLeast: 1.7 }),
    over(load, figures, 'cart', 'update', { atLeast: 2 }),
    over(load, figures, 'http', 'emmett'),
    over(load, figures, 'http', 'restate'),
    over(load, figures, 'http', 'dbos'),
    over(load, figures, 'http', 'plain'),
  ];
}

/** 100 carts in use, 32 clients, each of which waits until its command is projected before it sends the next one. */
export async function waitedFor(setup: Setup, { rounds, of }: Scale): Promise<Line[]> {
  const load = 'answers waited for';
  const commands = of(2_000);
  const designs = ['floor', 'http', 'update', 'emmett', 'restate', 'dbos', 'plain'] as const;
  const took = Object.fromEntries(designs.map((design) => [design, [] as number[]])) as Record<Design, number[]>;
  const contestants = designs.map((design) => {
    const { sendAndWait } = setup.designs[design];
    const send = () => sendAndWait(`waited-for-${design}-${randomInt(100)}`);
    const run = () => rate(commands, async () => took[design].push(...(await runAtOnce(commands, atOnce, send))));
    return [design, { send, run }] as const;
  });
  for (const [, { send }] of contestants) await runAtOnce(of(200), atOnce, send);
  const runs = Object.fromEntries(contestants.map(([design, { run }]) => [design, run])) as Record<
    (typeof designs)[number],
    () => Promise<number>
  >;
  const figures = (await alternate(rounds, runs, Math.min(restMs, of(2 * restMs)))) as Record<Design, number[]>;
  const ms = (design: Design, name: string, q: number): Line => ({
    ...{ load, what: `ms until the answer, ${design}, ${name}`, figure: spread([quantile(took[design], q)]) },
  });
  return [
    over(load, figures, 'http', 'floor', { atLeast: 0.7 }),
    ...(['update', 'emmett', 'restate', 'dbos', 'plain'] as const).map((design) => over(load, figures, 'http', design)),
    ...designs.flatMap((design) => [ms(design, 'p50', 0.5), ms(design, 'p99', 0.99)]),
  ];
}

/** New carts, one command each. */
export async function newCarts(setup: Setup, scale: Scale): Promise<Line[]> {
  const load = '2,000 new carts';
  const figures = await measure(setup, scale, {
    load,
    commands: scale.of(2_000),
    userOf: (n, round) => `${round}-${n}`,
    designs: ['floor', 'cart', 'http', 'tutorial', 'restate', 'plain'],
  });
  return [
    over(load, figures, 'cart', 'floor', { atLeast: 0.8 }),
    over(load, figures, 'cart', 'tutorial'),
    over(load, figures, 'http', 'restate'),
    over(load, figures, 'http', 'plain'),
  ];
}

/** One cart that gets all commands, 32 at the same time. */
export async function hotCart(setup: Setup, scale: Scale): Promise<Line[]> {
  const load = 'one hot cart';
  const figures = await measure(setup, scale, {
    load,
    commands: scale.of(2_000),
    userOf: () => 'hot',
    warmUp: ['hot'],
    designs: ['floor', 'cart', 'http', 'tutorial', 'emmett', 'restate', 'plain'],
  });
  return [
    over(load, figures, 'cart', 'floor'),
    over(load, figures, 'cart', 'tutorial'),
    over(load, figures, 'cart', 'emmett'),
    over(load, figures, 'http', 'restate', { atLeast: 5 }),
    over(load, figures, 'http', 'plain'),
  ];
}

/** Pages that send five commands for their cart at the same moment, 32 pages at the same time. */
export async function pageLoads(setup: Setup, scale: Scale): Promise<Line[]> {
  const load = 'page loads, 5 commands each';
  const figures = await measure(setup, scale, {
    load,
    commands: 5 * scale.of(1_000),
    burst: 5,
    userOf: () => `${randomInt(200)}`,
    warmUp: users(200),
    designs: ['floor', 'cart', 'http', 'tutorial', 'restate', 'plain'],
  });
  return [
    over(load, figures, 'cart', 'tutorial', { atLeast: 2.5 }),
    over(load, figures, 'http', 'tutorial'),
    over(load, figures, 'cart', 'floor'),
    over(load, figures, 'http', 'restate', { atLeast: 1.2 }),
    over(load, figures, 'http', 'plain'),
  ];
}
