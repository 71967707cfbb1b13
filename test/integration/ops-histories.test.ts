import { execFileSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { temporal as proto } from '@temporalio/proto';
import { mostAtOnce } from '../../src/contract/at-once';
import { cartWorkflowId } from '../../src/contract/ids';
import { archive, listArchived, readArchivedHistory } from '../../src/postgres/archive';
import { listRuns, listUsers, readRuns } from '../../src/temporal/histories/histories';
import { addPen, bytesOf, continueAsNew, deleteRun } from '../support/archived-cart';
import { buttonsOf } from '../support/buttons';
import { replayCart } from '../support/replay';
import { runOpsOn } from '../support/run-ops';
import { expectSdkLog } from '../support/sdk-log';
import { openShortRunWorld, type ShortRunWorld } from '../support/short-runs';
import { until } from '../support/until';
import { newUser } from '../support/world';

const { History: HistoryMessage } = proto.api.history.v1;
const user = newUser('al|ice+@~:');
const other = newUser('bob');

let world: ShortRunWorld;
beforeAll(async () => {
  world = await openShortRunWorld(60);
  await addPen(world, other);
  await continueAsNew(world, user, 3);
  const [oldest] = await listRuns(world, user);
  await deleteRun(world, user, oldest!.runId);
  await until('both carts are listed', async () => {
    const users: string[] = [];
    for await (const each of listUsers(world)) users.push(each);
    return users.length === 2;
  });
});
afterAll(() => world?.close());

const ops = (...words: string[]) => runOpsOn(world, ...words);

describe('ops histories', () => {
  it('lists the runs of a cart', async () => {
    const { status, output } = await ops('histories', 'list', '--user', user, '--json');
    expect(status).toBe(0);
    const rows = JSON.parse(output);
    expect(rows.map((row: { source: string }) => row.source).slice(0, 2)).toEqual(['archive', 'temporal']);
    expect((await ops('histories', 'list', '--user', user)).output).toContain(rows[0].runId);
  });

  it('exports live and archived runs, and they can be replayed', async () => {
    const out = path.join(world.folder, 'histories');
    expect(await ops('histories', 'export', '--user', user, '--out', out)).toMatchObject({ status: 0 });
    const runs = await readRuns(world, user);
    const files = await readdir(out);
    expect(files.sort()).toEqual(runs.map((run) => `${encodeURIComponent(user)}-${run.runId}.json`).sort());
    for (const file of files) await replayCart(user, JSON.parse(await readFile(path.join(out, file), 'utf8')));
  });

  it('exports a single run, also one that only the archive has', async () => {
    const out = path.join(world.folder, 'one');
    const [first] = await listRuns(world, user);
    expect(await ops('histories', 'export', '--run', first!.runId, '--out', out)).toMatchObject({ status: 0 });
    const [file, ...others] = await readdir(out);
    expect(others).toEqual([]);
    const [run] = await readRuns(world, user);
    expect(await readFile(path.join(out, file!), 'utf8')).toBe(`${historyToJSON(run!.history)}\n`);
  });

  it('exits with 2 and a message where there is nothing to export, and on wrong usage', async () => {
    const printed = jest.spyOn(console, 'error').mockImplementation(() => {});
    const written = jest.spyOn(process.stderr, 'write').mockImplementation(() => true);
    try {
      const out = path.join(world.folder, 'none');
      expect(await ops('histories', 'export', '--user', 'nobody', '--out', out)).toMatchObject({ status: 2 });
      expect(printed).toHaveBeenCalledWith(expect.stringContaining('nobody'));
      expect(await ops('histories', 'export')).toMatchObject({ status: 2 });
      expect(await ops('histories', 'list', '--user', "x' or '1'='1")).toMatchObject({ status: 2 });
      expect(await ops('replay', '--sample', 'many')).toMatchObject({ status: 2 });
      expect(await ops('unheard-of')).toMatchObject({ status: 2 });
    } finally {
      printed.mockRestore();
      written.mockRestore();
    }
  });

  it('sweep archives the closed runs that are not in the archive', async () => {
    expect(await ops('histories', 'sweep')).toEqual({ status: 0, output: '0 closed runs archived' });
  });

  it('marks the decisions of a run that the record has left', async () => {
    const left = newUser('left');
    for (let n = 0; n <= mostAtOnce; n += 1) await addPen(world, left);
    const run = buttonsOf(world, left);
    await until('its history has all', async () => (await run.count('markerRecordedEventAttributes')) > mostAtOnce);
    await run.reset((await run.tasks())[0]!);
    await addPen(world, left);
    const { output } = await ops('histories', 'list', '--user', left, '--json');
    expect(JSON.parse(output)).toMatchObject([
      { ended: 'Terminated', decisions: `1–${mostAtOnce + 1}`, branch: 'none' },
      { ended: 'open', decisions: `1–${mostAtOnce + 2}`, branch: `1–${mostAtOnce + 1}` },
    ]);
  });
});

describe('ops replay', () => {
  it('replays every history, and names each one that would break with the reason', async () => {
    const good = await ops('replay', '--json');
    expect(good.status).toBe(0);
    const { replayed } = JSON.parse(good.output);
    expect(replayed).toBeGreaterThanOrEqual(4);

    const [archived] = await listArchived(world.db, user);
    const tampered = HistoryMessage.decode((await readArchivedHistory(world.db, archived!.runId))!);
    for (const { markerRecordedEventAttributes: marker } of tampered.events) if (marker) marker.markerName = 'other';
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

describe('an exported history', () => {
  it('equals the output of `temporal workflow show -o json`', async () => {
    const run = (await readRuns(world, user)).at(-1)!;
    const cart = ['-w', cartWorkflowId(user), '-r', run.runId];
    const at = ['--address', world.temporalAddress, '-n', world.namespace];
    const show = ['workflow', 'show', '-o', 'json', ...cart, ...at];
    const shown = execFileSync(process.env.TEST_TEMPORAL_CLI!, show, { encoding: 'utf8' });
    await writeFile(path.join(world.folder, 'shown.json'), shown);
    expect(JSON.parse(historyToJSON(run.history))).toEqual(JSON.parse(shown));
  });
});
