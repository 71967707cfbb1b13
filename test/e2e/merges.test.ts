import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import type { Knex } from 'knex';
import { createCatalogue } from '../../src/postgres/catalogue';
import { connectDatabase } from '../../src/postgres/database';
import { verifyUser } from '../../src/recovery/verify-all';
import { payloadConverterPath } from '../../src/worker/bundle';
import { buttonsOf } from '../support/buttons';
import { randomNumbers } from '../support/random';
import { openRoleProcesses, type RoleProcess, type RoleProcesses } from '../support/role-processes';
import { until } from '../support/until';

const merges = 100;
const lines = 65;
const atOnce = 5;
const productIds = Array.from({ length: 120 }, (_, n) => `p-${n}`);

const seed = Number(process.env.SEED ?? randomInt(2 ** 31));

describe(`${merges} merges of guests with ${lines} lines, while workers are killed (SEED=${seed})`, () => {
  let roles: RoleProcesses;
  let db: Knex;
  let connection: Connection;
  let client: Client;
  let commands: RoleProcess;
  let queries: RoleProcess;
  beforeAll(async () => {
    roles = await openRoleProcesses('merges');
    db = connectDatabase(roles.databaseUrl, { poolSize: 5, name: 'merges' });
    const catalogue = createCatalogue(db);
    for (const productId of productIds) {
      await catalogue.put({ productId, name: productId, unitPrice: 100, currency: 'EUR', available: true });
    }
    connection = await Connection.connect({ address: process.env.TEST_TEMPORAL_ADDRESS! });
    client = new Client({ connection, namespace: roles.namespace, dataConverter: { payloadConverterPath } });
    commands = await roles.start('main-commands');
    queries = await roles.start('main-queries');
  });
  afterAll(async () => {
    await connection.close();
    await db.destroy();
    await roles.close();
  });

  const post = async (path: string, body: object, headers = {}) =>
    (
      await fetch(`${commands.url}/carts/${path}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body: JSON.stringify(body),
      })
    ).status;
  const read = async (user: string) =>
    (await (await fetch(`${queries.url}/carts/${user}`)).json()) as {
      version: number;
      status: string;
      items: { productId: string; quantity: number }[];
    };
  const fill = async (user: string, items: ReadonlyMap<string, number>) => {
    const statuses = await Promise.all(
      [...items].map(([productId, quantity]) => post(`${user}/items`, { productId, quantity })),
    );
    expect(new Set(statuses)).toEqual(new Set([202]));
    await until(`${user} has its lines`, async () => (await read(user)).version === items.size);
  };
  const choose = (random: () => number, first: number, count: number) =>
    new Map(productIds.slice(first, first + count).map((id) => [id, 1 + Math.floor(random() * 9)]));

  /** Kills one of two workers again and again, and starts another one in its place. */
  async function killWorkers(random: () => number, done: AbortSignal): Promise<number> {
    const workers = [await roles.start('main-worker'), await roles.start('main-worker')];
    let kills = 0;
    while (!done.aborted) {
      await delay(500 + 1_500 * random(), undefined, { signal: done }).catch(() => undefined);
      const place = random() < 0.5 ? 0 : 1;
      workers[place]!.child.kill('SIGKILL');
      kills += 1;
      workers[place] = await roles.start('main-worker');
    }
    return kills;
  }

  async function mergeOne(n: number, random: () => number): Promise<void> {
    const [guest, user] = [`guest:${seed}-${n}`, `user-${seed}-${n}`];
    const theirs = choose(random, 0, lines);
    // Some products are in both carts. Together they are at most 100.
    const own = choose(random, 35, 1 + Math.floor(random() * 59));
    await Promise.all([fill(guest, theirs), fill(user, own)]);
    const merge = () => post(`${user}/merge`, { from: guest }, random() < 0.5 ? { Prefer: 'wait=10' } : {});
    const sending = [merge(), merge(), delay(400 * random()).then(merge)];
    if (n % 5 === 0) {
      const run = buttonsOf({ client, namespace: roles.namespace }, random() < 0.5 ? guest : user);
      await delay(300 * random());
      if (random() < 0.5) await run.terminate().catch(() => undefined);
      else
        await run.tasks().then(
          (tasks) => run.reset(tasks[Math.floor(random() * tasks.length)]!),
          () => undefined,
        );
    }
    for (const status of await Promise.all(sending)) expect([200, 202]).toContain(status);
    const expected = new Map(own);
    for (const [id, quantity] of theirs) expected.set(id, (expected.get(id) ?? 0) + quantity);
    await until(`${guest} is merged`, async () => (await read(guest)).status === 'merged');
    const { items } = await until(`${user} has it`, async () => {
      const cart = await read(user);
      return cart.items.length === expected.size && cart;
    });
    expect(new Map(items.map(({ productId, quantity }) => [productId, quantity]))).toEqual(expected);
  }

  it('lose nothing, double nothing, and leave nothing that verify finds', async () => {
    const random = randomNumbers(seed);
    const done = new AbortController();
    const killing = killWorkers(randomNumbers(seed + 1), done.signal);
    const numbers = Array.from({ length: merges }, (_, n) => n).values();
    const mergeNext = async () => {
      for (const n of numbers) await mergeOne(n, random);
    };
    try {
      await Promise.all(Array.from({ length: atOnce }, mergeNext));
    } finally {
      done.abort();
      await killing;
    }
    expect(await killing).toBeGreaterThan(5);
    for (let n = 0; n < merges; n += 1) {
      for (const user of [`guest:${seed}-${n}`, `user-${seed}-${n}`]) {
        await until(
          () => `verify finds nothing in the cart of ${user}`,
          async () => (await verifyUser({ client, db }, user)).findings.length === 0,
        );
      }
    }
  });
});
