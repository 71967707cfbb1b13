import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { temporal } from '@temporalio/proto';
import { cartWorkflowId } from '../../src/contract/ids';
import { archive } from '../../src/postgres/archive';
import { readRuns } from '../../src/temporal/histories/histories';
import { replayCart } from '../support/replay';
import { runOpsOn } from '../support/run-ops';
import { expectSdkLog } from '../support/sdk-log';
import { newUser, openWorld, type World } from '../support/world';

const wait = { Prefer: 'wait=30' };

let world: World;
let user: string;
const folder = mkdtempSync(path.join(tmpdir(), 'cart-ops-'));
beforeAll(async () => {
  world = await openWorld();
  user = newUser();
  for (const productId of ['pen', 'ink', 'pad']) {
    await world.request('POST', `/carts/${user}/items`, { productId }, wait);
  }
});
afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});

const ops = (...words: string[]) => runOpsOn(world, ...words);

describe('ops verify', () => {
  it('exits with 0 where log, read model and histories agree', async () => {
    const { status, output } = await ops('verify', '--user', user, '--json');
    expect(JSON.parse(output)).toEqual({ carts: 1, decisions: 3, events: 3, notInHistories: 0, findings: [] });
    expect(status).toBe(0);
  });

  it('exits with 1 and names the cart, the decision and the version where an event was changed', async () => {
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
      expect.objectContaining({ userId: user, where: 'hash chain', sequence: 2 }),
    );
    expect(JSON.parse(output).findings).toContainEqual(
      expect.objectContaining({ userId: user, where: 'histories', version: 2 }),
    );
    await change('Ink, 30 ml');
    expect((await ops('verify', '--user', user)).status).toBe(0);
  });
});

describe('ops rebuild and heal', () => {
  it('repair a read model and report what they changed', async () => {
    await world.db('carts').where({ user_id: user }).update({ item_count: 99 });
    const { status, output } = await ops('rebuild', '--from', 'temporal', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(output.split('\n').at(-1)!).differed).toEqual([user]);
    expect((await ops('heal', '--json')).output).toContain('"missing":0');
    expect((await ops('verify', '--user', user)).status).toBe(0);
  });
});

describe('ops histories export', () => {
  it('writes files that can be replayed', async () => {
    expect((await ops('histories', 'export', '--user', user, '--out', folder)).status).toBe(0);
    const [file] = readdirSync(folder);
    const history = JSON.parse(readFileSync(path.join(folder, file!), 'utf8'));
    await replayCart(user, history);
  });
});

describe('ops replay', () => {
  it('exits with 1 and names the run that the code at hand cannot continue', async () => {
    const other = newUser('other');
    const runId = randomUUID();
    const [run] = await readRuns(world, user);
    const History = temporal.api.history.v1.History;
    const broken = History.decode(History.encode(run!.history).finish());
    broken.events.find((event) => event.markerRecordedEventAttributes)!.markerRecordedEventAttributes!.markerName =
      'other';
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
