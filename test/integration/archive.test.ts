import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { temporal as proto } from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import type { Knex } from 'knex';
import { loadConfig } from '../../src/config';
import { cartWorkflowId } from '../../src/contract/ids';
import { searchAttributeTypes } from '../../src/contract/search-attributes';
import { freePort } from '../../src/embedded/ports';
import { type EmbeddedTemporal, startTemporal } from '../../src/embedded/temporal/dev-server';
import { runOps } from '../../src/ops/cli';
import type { OpsContext } from '../../src/ops/context';
import { archive, findArchived, listArchived, readArchivedHistory } from '../../src/postgres/archive';
import { sweepClosedRuns } from '../../src/temporal/histories/archive-runs';
import { decisionsIn, readDecisions } from '../../src/temporal/histories/decisions';
import {
  type HistorySource,
  listRuns,
  listUsers,
  type RunInfo,
  readRuns,
} from '../../src/temporal/histories/histories';
import type { History } from '../../src/temporal/histories/runs';
import { expectSdkLog } from '../support/sdk-log';
import { until } from '../support/until';
import { newUser, openWorld, type World } from '../support/world';

const wait = { Prefer: 'wait=30' };
const { History: HistoryMessage } = proto.api.history.v1;
const bytesOf = (history: History) => Buffer.from(HistoryMessage.encode(history).finish());
const contentOf = (history: History) => HistoryMessage.toObject(history as proto.api.history.v1.History);
const sequencesUpTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

let folder: string;
let temporal: EmbeddedTemporal;
let world: World;
let source: HistorySource;
let user: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'cart-archive-'));
  temporal = await startTemporal({
    cliPath: process.env.TEST_TEMPORAL_CLI!,
    port: await freePort(),
    logFile: path.join(folder, 'temporal.log'),
    namespace: 'default',
    searchAttributes: searchAttributeTypes,
    // Few events, so that a cart continues as new after some ten commands.
    dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': 60 },
    log: () => {},
  });
  world = await openWorld({ temporalAddress: temporal.address });
  source = { client: world.client, db: world.db };
  user = newUser('al|ice+@~:');
  await continueAsNew(user, 3);
});
afterAll(async () => {
  await world?.close();
  await temporal?.stop();
  await rm(folder, { recursive: true, force: true });
});

const add = async (userId: string) => {
  const answer = await world.request('POST', `/carts/${encodeURIComponent(userId)}/items`, { productId: 'pen' }, wait);
  expect(answer.status).toBe(200);
};

/** Sends commands until the cart is in its n-th run, and that run has archived the one before. */
async function continueAsNew(userId: string, runs: number): Promise<void> {
  await add(userId);
  await until(`run ${runs}`, async () => {
    await add(userId);
    return (await listRuns(source, userId)).length >= runs;
  });
  await until('all but the newest are archived', async () => (await listArchived(world.db, userId)).length >= runs - 1);
}

/** Makes Temporal forget a run, as its retention does. */
async function forget(userId: string, runId: string): Promise<void> {
  const workflowExecution = { workflowId: cartWorkflowId(userId), runId };
  await world.client.workflowService.deleteWorkflowExecution({ namespace: 'default', workflowExecution });
  await until('the run is gone', async () => {
    const handle = world.client.workflow.getHandle(cartWorkflowId(userId), runId);
    return handle.fetchHistory().then(
      () => false,
      () => true,
    );
  });
}

async function ops(...args: string[]): Promise<{ status: number; output: string }> {
  const printed: string[] = [];
  const context: OpsContext = {
    config: loadConfig({}),
    db: world.db,
    temporal: async () => world.client,
    histories: async () => source,
    print: (text) => printed.push(text),
    startProgress: () => ({ set() {}, stop() {} }),
  };
  const status = await runOps(args, async () => ({ context, close: async () => {} }));
  return { status, output: printed.join('\n') };
}

const replay = (history: unknown, userId: string) =>
  Worker.runReplayHistory(
    {
      workflowBundle: { codePath: process.env.TEST_WORKFLOW_BUNDLE! },
      dataConverter: { payloadConverterPath: require.resolve('../../src/temporal/payload-converter') },
    },
    history,
    cartWorkflowId(userId),
  );

describe('a run that continued as new', () => {
  it('is archived by the next one, in full as Temporal has it, and can be replayed', async () => {
    const runs = await readRuns(source, user);
    expect(runs.map((run) => run.source)).toEqual(runs.map(() => 'temporal'));
    expect(runs.map((run) => run.isClosed)).toEqual([...runs.slice(1).map(() => true), false]);
    expect(runs.map((run) => run.previousRunId)).toEqual([undefined, ...runs.slice(0, -1).map((run) => run.runId)]);
    const archived = await listArchived(world.db, user);
    expect(archived.map((run) => run.runId)).toEqual(runs.slice(0, -1).map((run) => run.runId));
    for (const [index, run] of archived.entries()) {
      expect(run).toMatchObject({ closedAs: 'ContinuedAsNew', eventCount: runs[index]!.history.events!.length });
      const kept = await readArchivedHistory(world.db, run.runId);
      const { history } = runs[index]!;
      // The server gives maps, as of search attributes, in another order each time; every byte else is the same.
      expect(kept).toHaveLength(bytesOf(history).length);
      expect(contentOf(HistoryMessage.decode(kept!))).toEqual(contentOf(history));
      await replay(HistoryMessage.decode(kept!), user);
    }
  });

  it('was archived by an activity that says of which run in the Web UI', async () => {
    const newest = (await readRuns(source, user)).at(-1)!;
    const scheduled = newest.history.events!.find(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'archiveRun',
    );
    expect(Buffer.from(scheduled!.userMetadata!.summary!.data!).toString()).toBe(`"run ${newest.previousRunId}"`);
  });

  it('told every decision that Postgres has', async () => {
    const rows = await world.db('cart_commands').where({ user_id: user }).orderBy('sequence');
    const decisions = await readDecisions(source, user);
    expect(decisions.map((decision) => decision.sequence)).toEqual(sequencesUpTo(rows.length));
    expect(
      decisions.map(({ command, outcome, runId, decidedAt }) => [command.commandId, outcome, runId, decidedAt]),
    ).toEqual(rows.map((row) => [row.command_id, row.outcome, row.run_id, row.decided_at.toISOString()]));
    expect(await readDecisions(source, user, { after: 3 })).toEqual(decisions.slice(3));
    expect((await readDecisions(source, user, { after: rows.length - 1 })).map((each) => each.sequence)).toEqual([
      rows.length,
    ]);
  });

  it('keeps what a newer server might tell of an event, though this SDK cannot name it', () => {
    const unknownField = Buffer.from([0xc0, 0xb8, 0x02, 0x07]);
    const event = Buffer.concat([
      proto.api.history.v1.HistoryEvent.encode({ eventId: 1 as never }).finish(),
      unknownField,
    ]);
    const history = Buffer.concat([Buffer.from([0x0a, event.length]), event]);
    expect(bytesOf(HistoryMessage.decode(history)).equals(history)).toBe(true);
  });
});

describe('when a chain ended', () => {
  const [ended, running] = [newUser('ended'), newUser('running')];
  let lastRunId: string;
  beforeAll(async () => {
    await add(ended);
    await add(running);
    const handle = world.client.workflow.getHandle(cartWorkflowId(ended));
    lastRunId = (await handle.describe()).runId;
    await handle.terminate('test');
  });

  it('the sweep archives its last run, and leaves what runs', async () => {
    await until('it is swept', async () => {
      await sweepClosedRuns(source);
      return (await findArchived(world.db, [lastRunId])).has(lastRunId);
    });
    expect(await listArchived(world.db, ended)).toMatchObject([{ runId: lastRunId, closedAs: 'Terminated' }]);
    expect(await listArchived(world.db, running)).toEqual([]);
    expect(await sweepClosedRuns(source)).toBe(0);
  });

  it('every user is listed, once', async () => {
    const users: string[] = [];
    for await (const each of listUsers(source)) users.push(each);
    expect(users.sort()).toEqual([user, ended, running].sort());
  });

  it('the sweep stops when told to', async () => {
    expect(await sweepClosedRuns(source, AbortSignal.abort())).toBe(0);
  });

  describe('and Temporal has forgotten closed runs', () => {
    let forgotten: RunInfo;
    beforeAll(async () => {
      forgotten = (await listRuns(source, user))[0]!;
      await Promise.all([forget(user, forgotten.runId), forget(ended, lastRunId)]);
    });

    it('they are read from the archive, and every decision is still told exactly once', async () => {
      const runs = await readRuns(source, user);
      expect(runs.map((run) => run.source)).toEqual(['archive', ...runs.slice(1).map(() => 'temporal')]);
      const { history, ...info } = runs[0]!;
      expect(info).toEqual({ ...forgotten, source: 'archive' });
      const { sequence } = await world.db('carts').where({ user_id: user }).first('sequence');
      expect(runs.flatMap((run) => decisionsIn(run.history).map((each) => each.sequence))).toEqual(
        sequencesUpTo(sequence),
      );
      expect(await readDecisions(source, ended)).toMatchObject([{ sequence: 1, runId: lastRunId }]);
    });

    it('an archive that was changed is not taken for a history', async () => {
      const past = async (change: (trx: Knex.Transaction) => Promise<unknown>) =>
        world.db.transaction(async (trx) => {
          await trx.raw("set local session_replication_role = 'replica'");
          await change(trx);
        });
      const row = (trx: Knex.Transaction) => trx('cart_histories').where({ run_id: lastRunId });
      await past((trx) => row(trx).update({ sha256: Buffer.alloc(32) }));
      await expect(readRuns(source, ended)).rejects.toThrow(lastRunId);
      await past((trx) => row(trx).delete());
      expect(await readRuns(source, ended)).toEqual([]);
    });
  });
});

describe('ops histories', () => {
  it('lists the runs of a cart', async () => {
    const { status, output } = await ops('histories', 'list', '--user', user, '--json');
    expect(status).toBe(0);
    const rows = JSON.parse(output);
    expect(rows.map((row: { source: string }) => row.source).slice(0, 2)).toEqual(['archive', 'temporal']);
    expect((await ops('histories', 'list', '--user', user)).output).toContain(rows[0].runId);
  });

  it('exports live and archived runs as the Temporal CLI shows them, and they replay', async () => {
    const out = path.join(folder, 'histories');
    expect(await ops('histories', 'export', '--user', user, '--out', out)).toMatchObject({ status: 0 });
    const runs = await readRuns(source, user);
    const files = await readdir(out);
    expect(files.sort()).toEqual(runs.map((run) => `${encodeURIComponent(user)}-${run.runId}.json`).sort());
    for (const file of files) await replay(JSON.parse(await readFile(path.join(out, file), 'utf8')), user);
  });

  it('exports one run alone, also one that only the archive has', async () => {
    const out = path.join(folder, 'one');
    const [first] = await listRuns(source, user);
    expect(await ops('histories', 'export', '--run', first!.runId, '--out', out)).toMatchObject({ status: 0 });
    const [file, ...others] = await readdir(out);
    expect(others).toEqual([]);
    const [run] = await readRuns(source, user);
    expect(await readFile(path.join(out, file!), 'utf8')).toBe(`${historyToJSON(run!.history)}\n`);
  });

  it('says so where there is nothing to export, and exits 2 on wrong usage', async () => {
    const told = jest.spyOn(console, 'error').mockImplementation(() => {});
    const written = jest.spyOn(process.stderr, 'write').mockImplementation(() => true);
    try {
      const out = path.join(folder, 'none');
      expect(await ops('histories', 'export', '--user', 'nobody', '--out', out)).toMatchObject({ status: 2 });
      expect(told).toHaveBeenCalledWith(expect.stringContaining('nobody'));
      expect(await ops('histories', 'export')).toMatchObject({ status: 2 });
      expect(await ops('histories', 'list', '--user', "x' or '1'='1")).toMatchObject({ status: 2 });
      expect(await ops('replay', '--sample', 'many')).toMatchObject({ status: 2 });
      expect(await ops('unheard-of')).toMatchObject({ status: 2 });
    } finally {
      told.mockRestore();
      written.mockRestore();
    }
  });

  it('sweep archives what is missing', async () => {
    expect(await ops('histories', 'sweep')).toEqual({ status: 0, output: '0 closed runs archived' });
  });
});

describe('ops replay', () => {
  it('goes through everything, and names each history that would break with the reason', async () => {
    const good = await ops('replay', '--json');
    expect(good.status).toBe(0);
    const { replayed } = JSON.parse(good.output);
    expect(replayed).toBeGreaterThanOrEqual(4);

    const [archived] = await listArchived(world.db, user);
    const tampered = HistoryMessage.decode((await readArchivedHistory(world.db, archived!.runId))!);
    for (const { activityTaskScheduledEventAttributes: scheduled } of tampered.events) {
      if (scheduled?.activityType?.name === 'projectCart') scheduled.activityType.name = 'payCart';
    }
    const headless = HistoryMessage.create({ events: tampered.events.slice(1) });
    await archive(world.db, { ...archived!, userId: 'headless', runId: 'headless' }, bytesOf(headless));
    const gappy = HistoryMessage.create({ events: tampered.events.toSpliced(4, 1) });
    await archive(world.db, { ...archived!, userId: 'gappy', runId: 'gappy' }, bytesOf(gappy));
    await archive(world.db, { ...archived!, userId: 'tampered', runId: 'tampered' }, bytesOf(tampered));
    const bad = await ops('replay', '--json');
    const { replayed: now, broken } = JSON.parse(bad.output);
    expect({ status: bad.status, now }).toEqual({ status: 1, now: replayed + 3 });
    const reasons = Object.fromEntries(broken.map((each: Record<string, string>) => [each.runId, each.reason]));
    expect(Object.keys(reasons).sort()).toEqual(['gappy', 'headless', 'tampered']);
    expect(reasons.headless).toContain('first event');
    expect(reasons.gappy).toContain('event 5 is missing');
    expect(reasons.tampered).toMatch(/payCart|TMPRL1100|[Nn]ondeterminism/);
    await expectSdkLog(/Failing workflow task .*Nondeterminism/);
    expect(await ops('replay', '--user', user)).toMatchObject({ status: 0 });
    const one = await ops('replay', '--user', 'tampered');
    expect(one.status).toBe(1);
    expect(one.output).toContain('1 would break');
    expect((await ops('replay', '--sample', '1', '--json')).output).toContain('"replayed":');
  });
});

describe('the exported format', () => {
  it('is that of `temporal workflow show -o json`', async () => {
    const run = (await readRuns(source, user)).at(-1)!;
    const args = ['workflow', 'show', '-o', 'json', '-w', cartWorkflowId(user), '-r', run.runId];
    const shown = execFileSync(process.env.TEST_TEMPORAL_CLI!, [...args, '--address', temporal.address], {
      encoding: 'utf8',
    });
    await writeFile(path.join(folder, 'shown.json'), shown);
    expect(JSON.parse(historyToJSON(run.history))).toEqual(JSON.parse(shown));
  });
});
