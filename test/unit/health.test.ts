import pino from 'pino';
import { getJson, serve } from '../support/serve';

it('readyz says which check fails and how many carts are parked, and only the log says why', async () => {
  const lines: string[] = [];
  const server = await serve([], undefined, {
    logger: pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) }),
    checks: {
      temporal: async () => 'it answers',
      postgres: () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.5:5432')),
    },
    details: { parkedCarts: async () => 2, others: () => Promise.reject(new Error('of alice')) },
  });
  expect(await getJson(`${server.url}/readyz`)).toMatchObject({
    status: 503,
    body: { status: 'not ready', checks: { temporal: 'ok', postgres: 'failed' }, details: { parkedCarts: 2 } },
  });
  expect(lines).toEqual([expect.stringContaining('10.0.0.5')]);
  await server.close();
});
