import { sendOverHttp } from '../contestants';
import { ask, type Http } from '../http';
import { alternate, median, rate, ratios, runAtOnce, type Scale, spread } from '../measure';
import type { Line } from '../report';
import type { Setup } from '../setup';

const users = Array.from({ length: 100 }, (_, n) => `with-token-${n}`);
const atOnce = 32;

type Send = (http: Http, userId: string, headers?: Record<string, string>) => Promise<unknown>;

const read: Send = (http, userId, headers) => ask(http, 'GET', `/carts/${userId}`, undefined, headers);
const command: Send = (http, userId, headers) => sendOverHttp(http, userId, { Prefer: 'wait=10', ...headers });

/** 100 customers whose tokens are verified and whose requests are counted, and as many for whom nothing is checked. */
export async function tokens(setup: Setup, { rounds, of }: Scale): Promise<Line[]> {
  const apis = await setup.openWithTokens();
  const headers = await Promise.all(users.map(apis.headersOf));
  const compare = async (what: string, count: number, send: Send, checked: Http, unchecked: Http): Promise<Line> => {
    const run = (sendNext: (n: number) => Promise<unknown>) => () =>
      rate(count, () => runAtOnce(count, atOnce, (n) => sendNext(n % users.length)));
    const contestants = {
      checked: run((n) => send(checked, users[n]!, headers[n])),
      unchecked: run((n) => send(unchecked, users[n]!)),
    };
    for (const warmUp of Object.values(contestants)) await warmUp();
    const figures = await alternate(rounds, contestants);
    return {
      load: 'tokens',
      what: `${what} a second with tokens and limits ÷ without`,
      figure: spread(ratios(figures.checked, figures.unchecked)),
      goal: { atLeast: 0.95 },
      from: { with: median(figures.checked), without: median(figures.unchecked) },
    };
  };
  return [
    await compare('commands waited for', of(1_500), command, apis.commands, setup.http.commands),
    await compare('reads', of(16_000), read, apis.queries, setup.http.queries),
  ];
}
