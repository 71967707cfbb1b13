import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { sendOverHttp } from '../contestants';
import { alternate, median, quantile, rate, ratios, runAtOnce, type Scale, spread } from '../measure';
import type { Line } from '../report';
import type { Setup } from '../setup';

const wait = { Prefer: 'wait=10' };

/**
 * One command after the other, each answered once it is projected: by the cart over HTTP, by the Update design to its
 * client.
 */
export async function loneCommands({ http, designs }: Setup, { rounds, of }: Scale): Promise<Line[]> {
  const p50 = (send: (userId: string) => Promise<unknown>) => async () =>
    median(await runAtOnce(of(200), 1, () => send(`lone-${randomInt(20)}`)));
  const cart = p50((userId) => sendOverHttp(http.commands, userId, wait));
  const update = p50(designs.update.send);
  await cart();
  await update();
  const figures = await alternate(rounds, { cart, update });
  return [
    {
      load: 'lone commands',
      what: 'p50 with Prefer: wait over HTTP ÷ p50 of update-with-start',
      figure: spread(ratios(figures.cart, figures.update)),
      goal: { atMost: 1.2 },
      from: { 'cart ms': median(figures.cart), 'update ms': median(figures.update) },
    },
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
