import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { sendOverHttp } from '../contestants';
import { alternate, median, quantile, type Rounds, rate, ratios, runAtOnce, type Scale, spread } from '../measure';
import type { Line } from '../report';
import type { Setup } from '../setup';

const wait = { Prefer: 'wait=10' };

/**
 * One command after the other, each answered once it is projected: back to back, and with pauses of up to 200 ms, as
 * one shopper sends them. By the cart over HTTP, by the Update design to its client.
 */
export async function loneCommands({ http, designs }: Setup, { rounds, of }: Scale): Promise<Line[]> {
  const p50 = (send: (userId: string) => Promise<unknown>, pauseMs: number) => async () => {
    const took: number[] = [];
    for (let n = 0; n < of(200); n += 1) {
      await delay(randomInt(pauseMs + 1));
      const started = performance.now();
      await send(`lone-${randomInt(20)}`);
      took.push(performance.now() - started);
    }
    return median(took);
  };
  const cart = (userId: string) => sendOverHttp(http.commands, userId, wait);
  const { update } = designs;
  const contestants = {
    cart: p50(cart, 0),
    update: p50(update.sendAndWait, 0),
    'cart with pauses': p50(cart, 200),
    'update with pauses': p50(update.sendAndWait, 200),
  };
  for (const warmUp of [contestants.cart, contestants.update]) await warmUp();
  const figures = await alternate(rounds, contestants);
  const lines = (how: string, ours: Rounds, theirs: Rounds): Line[] => [
    {
      load: 'lone commands',
      what: `p50 with Prefer: wait over HTTP ÷ p50 of update-with-start, ${how}`,
      figure: spread(ratios(ours, theirs)),
      goal: { atMost: 1.2 },
      from: { 'cart ms': median(ours), 'update ms': median(theirs) },
    },
    {
      load: 'lone commands',
      what: `ms with Prefer: wait over HTTP, p50, ${how}`,
      figure: spread(ours),
      goal: { atMost: 15 },
    },
  ];
  return [
    ...lines('back to back', figures.cart, figures.update),
    ...lines('with pauses', figures['cart with pauses'], figures['update with pauses']),
  ];
}

const openLoopCarts = 1_000;

/**
 * Commands at random instants, whether or not earlier ones were answered. Their rate is half of what this machine has
 * just reached. The time of each counts from the instant at which it was due.
 */
export async function openLoop({ http }: Setup, { of }: Scale): Promise<Line[]> {
  const user = () => `open-${randomInt(openLoopCarts)}`;
  await runAtOnce(openLoopCarts, 32, (n) => sendOverHttp(http.commands, `open-${n}`, wait));
  const capacity = await rate(of(3_000), () =>
    runAtOnce(of(3_000), 32, () => sendOverHttp(http.commands, user(), wait)),
  );
  const perSecond = capacity / 2;
  const lines: Line[] = [];
  for (const [what, headers] of [
    ['accepted', {}],
    ['projected', wait],
  ] as const) {
    const took: number[] = [];
    const sent: Promise<void>[] = [];
    let due = performance.now();
    for (let n = 0; n < of(3_000); n += 1) {
      due += (-Math.log(1 - Math.random()) * 1_000) / perSecond;
      const waitMs = due - performance.now();
      if (waitMs > 0) await delay(waitMs);
      const from = due;
      const answer = sendOverHttp(http.commands, user(), headers);
      sent.push(
        answer.then(() => {
          took.push(performance.now() - from);
        }),
      );
    }
    await Promise.all(sent);
    for (const [name, q] of [
      ['p50', 0.5],
      ['p99', 0.99],
    ] as const) {
      const figure = quantile(took, q);
      lines.push({
        load: 'open loop at half the capacity',
        what: `ms until ${what}, ${name}`,
        figure: spread([figure]),
        from: { 'commands a second': perSecond },
      });
    }
  }
  return lines;
}
