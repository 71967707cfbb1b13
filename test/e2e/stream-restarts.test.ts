import { setTimeout as delay } from 'node:timers/promises';
import type { Knex } from 'knex';
import { connectDatabase } from '../../src/postgres/database';
import { project } from '../../src/postgres/projection/project';
import { add, decideAll } from '../support/cart-story';
import { openEventStream } from '../support/event-stream';
import { openRoleProcesses, type RoleProcesses } from '../support/role-processes';
import { newUser } from '../support/world';

let roles: RoleProcesses;
let db: Knex;
beforeAll(async () => {
  roles = await openRoleProcesses('stream-restarts');
  db = connectDatabase(roles.databaseUrl, { poolSize: 4, name: 'projecting' });
});
afterAll(async () => {
  await db.destroy();
  await roles.close();
});

const cartCount = 20;
const clientCount = 50;
const eventsPerCart = 150;
const restarts = 5;

/** Follows a cart as browsers do: it connects again after the last event that it has. */
async function follow(url: () => string, userId: string, until: number): Promise<number[]> {
  const versions: number[] = [];
  while ((versions.at(-1) ?? 0) < until) {
    const headers = { 'Last-Event-ID': String(versions.at(-1) ?? 0) };
    const stream = await openEventStream(`${url()}/carts/${userId}/stream`, headers).catch(() => undefined);
    if (stream === undefined) {
      await delay(50);
      continue;
    }
    for (;;) {
      const message = await stream.next().catch(() => undefined);
      if (message === undefined) break;
      versions.push(message.id);
      if (message.id >= until) break;
    }
    stream.close();
  }
  return versions;
}

it('50 clients that follow 20 carts get every version once and in order while the API restarts five times', async () => {
  let queries = await roles.start('main-queries');
  const users = Array.from({ length: cartCount }, () => newUser());
  const { decisions } = decideAll(Array.from({ length: eventsPerCart }, (_, n) => add(`product-${n % 20}`)));
  const followed = Array.from({ length: clientCount }, (_, n) =>
    follow(() => queries.url, users[n % cartCount]!, eventsPerCart),
  );
  const stopped: { code: number | null }[] = [];
  const perRestart = eventsPerCart / (restarts + 1);
  for (let round = 0; round <= restarts; round += 1) {
    const projecting = (async () => {
      for (let n = 0; n < perRestart; n += 1) {
        const at = round * perRestart + n;
        for (const userId of users) await db.transaction((trx) => project(trx, userId, decisions.slice(at, at + 1)));
      }
    })();
    if (round < restarts) {
      stopped.push(await queries.stop());
      queries = await roles.start('main-queries');
    }
    await projecting;
  }
  const everyVersion = Array.from({ length: eventsPerCart }, (_, n) => n + 1);
  for (const versions of await Promise.all(followed)) expect(versions).toEqual(everyVersion);
  expect(stopped.map(({ code }) => code)).toEqual(Array(restarts).fill(0));
});
