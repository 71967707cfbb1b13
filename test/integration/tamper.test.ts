import { randomBytes, randomInt } from 'node:crypto';
import type { Knex } from 'knex';
import { handle } from '../../src/domain/handle';
import { archive } from '../../src/postgres/archive';
import { readRecordEnd } from '../../src/postgres/log/checkpoint';
import { migrate } from '../../src/postgres/migrations/migrate';
import { project } from '../../src/postgres/projection/project';
import { upgradeChains } from '../../src/postgres/projection/upgrade-chains';
import { verifyCart } from '../../src/recovery/verify';
import { asProjected } from '../../src/temporal/histories/read-decisions';
import { add, command } from '../support/cart-story';
import { createDatabase, type TestDatabase } from '../support/database';
import { createEarlier } from '../support/earlier-database';
import { randomNumbers } from '../support/random';
import { openTampering } from '../support/tamper';

const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
const changes = 500;

const users = ['alice', 'bob'];

/** Adds decisions of all outcomes to the carts, and runs to their archives. */
async function useCarts(db: Knex): Promise<void> {
  for (const user of users) {
    for (let step = 0; step < 12; step += 1) {
      const fields = [
        add('pen', 1 + step),
        { type: 'removeItem', productId: 'pen', expectedVersion: 1_000 },
        { type: 'clearCart' },
        add('ink', 1_000),
      ][step % 4]!;
      const context = { now: new Date().toISOString(), runId: 'run', freshId: () => '', unprojectedCount: 0 };
      const own = { commandId: `${user}-${step}`, actor: step % 2 === 0 ? `user:${user}` : 'support' };
      const { decision } = handle((await readRecordEnd(db, user)).checkpoint, command({ ...fields, ...own }), context);
      await db.transaction((trx) => project(trx, user, [decision!]));
    }
    for (const runId of ['first', 'second', 'third']) {
      const instant = new Date().toISOString();
      const run = {
        userId: user,
        workflowId: `cart:${user}`,
        runId: `${user}-${runId}`,
        previousRunId: runId === 'first' ? undefined : 'previous',
        startedAt: instant,
        closedAt: instant,
        closedAs: 'Completed',
        eventCount: 9,
      };
      await archive(db, run, randomBytes(200));
    }
  }
}

const findingsOf = async (db: Knex, userIds: readonly string[]) =>
  (await Promise.all(userIds.map((userId) => verifyCart(db, userId, asProjected([]))))).flatMap(
    ({ findings }) => findings,
  );

describe.each([
  ['a new log', () => createDatabase()],
  [
    'a log that was upgraded, and used since',
    async () => {
      const database = await createEarlier('0005');
      await migrate(database.db);
      await upgradeChains(database.db, new AbortController().signal);
      return database;
    },
  ],
])('%s', (_what, open) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await open();
    await useCarts(database.db);
  });
  afterAll(() => database.drop());

  it(`shows every one of ${changes} random changes of any column of any row (seed ${seed})`, async () => {
    const { db } = database;
    expect(await findingsOf(db, users)).toEqual([]);
    const tamper = await openTampering(db, randomNumbers(seed));
    const missed: string[] = [];
    for (let trial = 0; trial < changes; trial += 1) {
      const { what, userIds, undo } = await tamper();
      if ((await findingsOf(db, userIds)).length === 0) missed.push(what);
      await undo();
    }
    expect(missed).toEqual([]);
    expect(await findingsOf(db, users)).toEqual([]);
  });
});
