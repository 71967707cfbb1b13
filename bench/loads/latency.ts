import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { sendOverHttp } from '../contestants';
import type { Ground } from '../ground';
import { alternate, median, quantile, rate, ratios, runAtOnce, spread } from '../measure';
import type { Line } from '../report';
import type { Scale } from './commands';

const wait = { Prefer: 'wait=10' };

/** One command after the other, each answered when it is projected: over HTTP here, by an update from the driver there. */
export async function loneCommands({ http, designs }: Ground, { rounds, of }: Scale): Promise<Line[]> {
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
 * Commands that come when they come: at random instants, as many a second as half of what this machine was just found to do,
 * whether or not earlier ones were answered. Each is timed from the instant at which it should have been sent.
 */
export async function openLoop({ http }: Ground, { of }: Scale): Promise<Line[]> {
  const user = () => `open-${randomInt(openLoopCarts)}`;
  await runAtOnce(openLoopCarts, 32, (n) => sendOverHttp(http.commands, `open-${n}`, wait));
  const capacity = await rate(of(3_000), () =>
    runAtOnce(of(3_000), 32, () => sendOverHttp(http.commands, user(), wait)),
  );
  const perSecond = capacity / 2;
  const lines: Line[] = [];
  for (const [what, headers] of [
    ['taken', {}],
    ['projected', wait],
  ] as const) {
    const took: number[] = [];
    const sent: Promise<void>[] = [];
    let due = performance.now();
    for (let n = 0; n < of(3_000); n += 1) {
      due += (-Math.log(1 - Math.random()) * 1_000) / perSecond;
      const early = due - performance.now();
      if (early > 0) await delay(early);
      const from = due;
      const answered = sendOverHttp(http.commands, user(), headers);
      sent.push(
        answered.then(() => {
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
