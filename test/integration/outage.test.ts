import { type NetworkProxy, openProxy } from '../support/proxy';
import { expectConsistentLog, readLog } from '../support/read-log';
import { until } from '../support/until';
import { newUser, openWorld, type World } from '../support/world';

const wait = { Prefer: 'wait=20' };
const addressOf = (address: string): [host: string, port: number] => {
  const [host, port] = address.split(':');
  return [host!, Number(port)];
};

describe('while Temporal cannot be reached', () => {
  let world: World;
  let proxy: NetworkProxy;
  beforeAll(async () => {
    proxy = await openProxy(...addressOf(process.env.TEST_TEMPORAL_ADDRESS!));
    world = await openWorld({ apiTemporalAddress: `127.0.0.1:${proxy.port}` });
  });
  afterAll(async () => {
    proxy.set('pass');
    await world.close();
    await proxy.close();
  });

  it.each(['refuse', 'swallow'] as const)(
    'commands are answered 503 with Retry-After, reads work, and a retry is applied once (connections: %s)',
    async (mode) => {
      const user = newUser();
      const send = () =>
        fetch(`${world.url}/carts/${user}/items`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json', 'Idempotency-Key': 'k', ...wait },
          body: JSON.stringify({ productId: 'pen' }),
          signal: AbortSignal.timeout(25_000),
        });
      await world.request('POST', `/carts/${user}/items`, { productId: 'ink' }, wait);
      proxy.set(mode);
      const started = performance.now();
      const rejected = await send();
      expect(performance.now() - started).toBeLessThan(5_000);
      expect(rejected.status).toBe(503);
      expect(Number(rejected.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await rejected.json()).toMatchObject({ code: 'temporal_unavailable', commandId: 'k' });
      expect((await world.request('GET', `/carts/${user}`)).body).toMatchObject({ version: 1 });
      expect(await world.request('GET', '/readyz')).toMatchObject({
        status: 503,
        body: { checks: { postgres: 'ok' } },
      });
      proxy.set('pass');
      await until('the command is applied', async () => (await send()).status === 200);
      expect((await world.request('GET', `/carts/${user}`)).body).toMatchObject({ version: 2, itemCount: 2 });
      await expectConsistentLog(world, user);
    },
  );
});

describe('while Postgres cannot be reached', () => {
  let world: World;
  let proxy: NetworkProxy;
  beforeAll(async () => {
    world = await openWorld({
      async mapDatabaseUrl(databaseUrl) {
        const url = new URL(databaseUrl);
        proxy = await openProxy(url.hostname, Number(url.port));
        return Object.assign(url, { host: `127.0.0.1:${proxy.port}` }).href;
      },
    });
  });
  afterAll(async () => {
    proxy.set('pass');
    await world.close();
    await proxy.close();
  });

  it.each(['refuse', 'swallow'] as const)(
    'commands are accepted and decided, and are projected afterwards (connections: %s)',
    async (mode) => {
      const user = newUser();
      await world.request('POST', `/carts/${user}/items`, { productId: 'pen' }, wait);
      proxy.set(mode);
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => world.request('POST', `/carts/${user}/items`, { productId: 'pen' })),
      );
      expect(answers.map((answer) => answer.status)).toEqual(Array(5).fill(202));
      expect((await world.request('GET', `/carts/${user}`)).status).toBe(503);
      expect(await world.request('GET', '/readyz')).toMatchObject({
        status: 503,
        body: { checks: { temporal: 'ok' } },
      });
      const handle = world.client.workflow.getHandle(`cart:${user}`);
      await until('the commands are decided', async () => {
        const { cart } = await handle.query<{ cart: { version: number } }>('checkpoint');
        return cart.version === 6;
      });
      expect((await readLog(world, user)).events).toHaveLength(1);
      proxy.set('pass');
      await until('the commands are projected', async () => (await readLog(world, user)).events.length === 6);
      await until(
        'the query side has connections again',
        async () => (await world.request('GET', '/readyz')).status === 200,
      );
      await expectConsistentLog(world, user);
    },
  );
});
