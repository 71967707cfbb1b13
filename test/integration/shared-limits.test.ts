import pino from 'pino';
import { RateLimiterRes } from 'rate-limiter-flexible';
import { openSharedLimits } from '../../src/roles/shared-limits';
import { asMemberOf, createDatabase, type TestDatabase } from '../support/database';
import { openProxy } from '../support/proxy';
import { until } from '../support/until';

let database: TestDatabase;
let url: string;
beforeAll(async () => {
  database = await createDatabase();
  url = asMemberOf('cart_sender', database.url);
});
afterAll(() => database.drop());

const logger = pino({ level: 'silent' });
const options = (keyPrefix: string) => ({ keyPrefix, points: 3, duration: 60 });

/** The first connection of a pool can take longer than a count may. */
async function warmUp(limits: ReturnType<typeof openSharedLimits>, key: string): Promise<void> {
  const limiter = limits.makeLimiter({ keyPrefix: 'warm', points: 1_000, duration: 60 });
  await until('Postgres counts', async () => {
    await limiter.consume(key);
    return (await database.db('rate_limits').where({ key: `warm:${key}` })).length > 0;
  });
}

/** Whether each of so many requests of alice is allowed. */
async function consume(limiter: { consume(key: string): Promise<unknown> }, count: number): Promise<boolean[]> {
  const allowed: boolean[] = [];
  for (let n = 0; n < count; n += 1) {
    allowed.push(
      await limiter.consume('alice').then(
        () => true,
        (error: unknown) => {
          if (error instanceof RateLimiterRes) return false;
          throw error;
        },
      ),
    );
  }
  return allowed;
}

describe('limits in Postgres', () => {
  it('count what a caller sends to several processes together', async () => {
    const [one, other] = [openSharedLimits(url, logger), openSharedLimits(url, logger)];
    try {
      await Promise.all([warmUp(one, 'one'), warmUp(other, 'other')]);
      expect(await consume(one.makeLimiter(options('commands')), 2)).toEqual([true, true]);
      expect(await consume(other.makeLimiter(options('commands')), 2)).toEqual([true, false]);
      expect(await consume(other.makeLimiter(options('reads')), 1)).toEqual([true]);
      expect(await database.db('rate_limits').pluck('key')).toEqual(
        expect.arrayContaining(['commands:alice', 'reads:alice']),
      );
    } finally {
      await Promise.all([one.close(), other.close()]);
    }
  });

  it('count each process alone while Postgres does not answer, and together again afterwards', async () => {
    const { hostname, port } = new URL(url);
    const proxy = await openProxy(hostname, Number(port));
    const limits = openSharedLimits(Object.assign(new URL(url), { port: String(proxy.port) }).href, logger);
    const limiter = limits.makeLimiter(options('guests'));
    const readPoints = async () =>
      (await database.db('rate_limits').where({ key: 'guests:alice' }).first('points'))?.points;
    try {
      await warmUp(limits, 'proxied');
      expect(await consume(limiter, 1)).toEqual([true]);
      proxy.set('swallow');
      expect(await consume(limiter, 5)).toEqual([true, true, true, false, false]);
      expect(await readPoints()).toBe(1);
      proxy.set('pass');
      await until('Postgres counts again', async () => {
        await consume(limiter, 1);
        return (await readPoints()) > 1;
      });
    } finally {
      await limits.close();
      await proxy.close();
    }
  });
});
