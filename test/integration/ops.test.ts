import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { temporal } from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import { loadConfig } from '../../src/config';
import { cartWorkflowId } from '../../src/contract/ids';
import { runOps } from '../../src/ops/cli';
import type { OpsContext } from '../../src/ops/context';
import { archive } from '../../src/postgres/archive';
import { readRuns } from '../../src/temporal/histories/histories';
import { expectSdkLog } from '../support/sdk-log';
import { newUser, openWorld, type World } from '../support/world';

const wait = { Prefer: 'wait=30' };

let world: World;
let user: string;
const folder = mkdtempSync(path.join(tmpdir(), 'cart-ops-'));
beforeAll(async () => {
  world = await openWorld({ isAlone: true });
  user = newUser();
  for (const productId of ['pen', 'ink', 'pad']) {
    await world.request('POST', `/carts/${user}/items`, { productId }, wait);
  }
});
afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});

/** Runs one command on the world. @returns its exit status and what it printed. */
async function ops(...words: string[]): Promise<{ status: number; output: string }> {
  const printed: string[] = [];
  const context: OpsContext = {
    config: loadConfig({}),
    db: world.db,
    temporal: async () => world.client,
    histories: async () => ({ client: world.client, db: world.db }),
    print: (text) => printed.push(text),
    startProgress: () => ({ set() {}, stop() {} }),
  };
  const status = await runOps(words, async () => ({ context, close: async () => {} }));
  return { status, output: printed.join('\n') };
}

describe('ops verify', () => {
  it('gives 0 where all agrees', async () => {
    const { status, output } = await ops('verify', '--user', user, '--json');
    expect(JSON.parse(output)).toEqual({ carts: 1, decisions: 3, events: 3, notInHistories: 0, findings: [] });
    expect(status).toBe(0);
  });

  it('gives 1 and names the cart and the version where an event was changed', async () => {
    const change = (name: string) =>
      world.db.transaction(async (trx) => {
        await trx.raw("set local session_replication_role = 'replica'");
        const data = trx.raw("jsonb_set(data, '{name}', ?::jsonb)", [JSON.stringify(name)]);
        await trx('cart_events').where({ user_id: user, version: 2 }).update({ data });
      });
    await change('Inx, 30 ml');
    const { status, output } = await ops('verify', '--user', user, '--json');
    expect(status).toBe(1);
    expect(JSON.parse(output).findings).toContainEqual(
      expect.objectContaining({ userId: user, where: 'hash chain', version: 2 }),
    );
    expect(JSON.parse(output).findings).toContainEqual(
      expect.objectContaining({ userId: user, where: 'histories', version: 2 }),
    );
    await change('Ink, 30 ml');
    expect((await ops('verify', '--user', user)).status).toBe(0);
  });
});

describe('ops rebuild and heal', () => {
  it('mend a read model and tell what they did', async () => {
    await world.db('carts').where({ user_id: user }).update({ item_count: 99 });
    const { status, output } = await ops('rebuild', '--from', 'temporal', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(output.split('\n').at(-1)!).differed).toEqual([user]);
    expect((await ops('heal', '--json')).output).toContain('"missing":0');
    expect((await ops('verify', '--user', user)).status).toBe(0);
  });
});

describe('ops histories export', () => {
  it('writes files that the replay tests can read', async () => {
    expect((await ops('histories', 'export', '--user', user, '--out', folder)).status).toBe(0);
    const [file] = readdirSync(folder);
    const history = JSON.parse(readFileSync(path.join(folder, file!), 'utf8'));
    const options = {
      workflowBundle: { codePath: process.env.TEST_WORKFLOW_BUNDLE! },
      dataConverter: { payloadConverterPath: require.resolve('../../src/temporal/payload-converter') },
    };
    await Worker.runReplayHistory(options, history, cartWorkflowId(user));
  });
});

describe('ops replay', () => {
  it('gives 1 and names the run that the code at hand would not carry on', async () => {
    const other = newUser('other');
    const runId = randomUUID();
    const [run] = await readRuns({ client: world.client, db: world.db }, user);
    const History = temporal.api.history.v1.History;
    const broken = History.decode(History.encode(run!.history).finish());
    broken.events.find((event) => event.activityTaskScheduledEventAttributes)!.activityTaskScheduledEventAttributes!
      .activityType!.name = 'other';
    const archived = {
      userId: other,
      workflowId: cartWorkflowId(other),
      runId,
      previousRunId: undefined,
      startedAt: run!.startedAt,
      closedAt: run!.startedAt,
      closedAs: 'Terminated',
      eventCount: broken.events.length,
    };
    await archive(world.db, archived, History.encode(broken).finish());
    const { status, output } = await ops('replay', '--user', other, '--json');
    expect(status).toBe(1);
    expect(JSON.parse(output)).toMatchObject({ replayed: 1, broken: [{ userId: other, runId }] });
    await expectSdkLog(/Failing workflow task .*Nondeterminism/);
    expect(await ops('replay', '--user', user, '--json')).toMatchObject({ status: 0 });
  });
});
