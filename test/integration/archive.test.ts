import { temporal as proto } from '@temporalio/proto';
import type { Knex } from 'knex';
import { cartWorkflowId } from '../../src/contract/ids';
import { findArchived, listArchived, readArchivedHistory } from '../../src/postgres/archive';
import { sweepClosedRuns } from '../../src/temporal/histories/archive-runs';
import { decisionsIn } from '../../src/temporal/histories/decisions';
import { listRuns, listUsers, type RunInfo, readRuns } from '../../src/temporal/histories/histories';
import { readDecisions } from '../../src/temporal/histories/read-decisions';
import type { History } from '../../src/temporal/histories/runs';
import { addPen, bytesOf, continueAsNew, deleteRun } from '../support/archived-cart';
import { replayCart } from '../support/replay';
import { openShortRunWorld, type ShortRunWorld } from '../support/short-runs';
import { until } from '../support/until';
import { newUser } from '../support/world';

const { History: HistoryMessage } = proto.api.history.v1;
const contentOf = (history: History) => HistoryMessage.toObject(history as proto.api.history.v1.History);
const sequencesUpTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const user = newUser('al|ice+@~:');

let world: ShortRunWorld;
beforeAll(async () => {
  world = await openShortRunWorld(60);
  await continueAsNew(world, user, 3);
});
afterAll(() => world?.close());

describe('a run that continued as new', () => {
  it('is archived by the next run exactly as Temporal has it, and can be replayed', async () => {
    const runs = await readRuns(world, user);
    expect(runs.map((run) => run.source)).toEqual(runs.map(() => 'temporal'));
    expect(runs.map((run) => run.isClosed)).toEqual([...runs.slice(1).map(() => true), false]);
    expect(runs.map((run) => run.previousRunId)).toEqual([undefined, ...runs.slice(0, -1).map((run) => run.runId)]);
    const archived = await listArchived(world.db, user);
    expect(archived.map((run) => run.runId)).toEqual(runs.slice(0, -1).map((run) => run.runId));
    for (const [index, run] of archived.entries()) {
      expect(run).toMatchObject({ closedAs: 'ContinuedAsNew', eventCount: runs[index]!.history.events!.length });
      const kept = await readArchivedHistory(world.db, run.runId);
      const { history } = runs[index]!;
      // The server returns maps, such as search attributes, in another order each time; all other bytes are the same.
      expect(kept).toHaveLength(bytesOf(history).length);
      expect(contentOf(HistoryMessage.decode(kept!))).toEqual(contentOf(history));
      await replayCart(user, HistoryMessage.decode(kept!));
    }
  });

  it('is archived by an activity whose summary in the Web UI names the run', async () => {
    const newest = (await readRuns(world, user)).at(-1)!;
    const scheduled = newest.history.events!.find(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'archiveRun',
    );
    expect(Buffer.from(scheduled!.userMetadata!.summary!.data!).toString()).toBe(`"run ${newest.previousRunId}"`);
  });

  it('has the workflow task timeout with which the cart was started', async () => {
    const runs = await readRuns(world, user);
    const timeouts = runs.map(
      ({ history }) => history.events![0]!.workflowExecutionStartedEventAttributes!.workflowTaskTimeout!.seconds,
    );
    expect(timeouts.map(Number)).toEqual(runs.map(() => 4));
  });

  it('contains every decision that Postgres has', async () => {
    const rows = await world.db('cart_commands').where({ user_id: user }).orderBy('sequence');
    const decisions = await readDecisions(world, user);
    expect(decisions.map((decision) => decision.sequence)).toEqual(sequencesUpTo(rows.length));
    expect(
      decisions.map(({ command, outcome, runId, decidedAt }) => [command.commandId, outcome, runId, decidedAt]),
    ).toEqual(rows.map((row) => [row.command_id, row.outcome, row.run_id, row.decided_at.toISOString()]));
    expect(await readDecisions(world, user, { after: 3 })).toEqual(decisions.slice(3));
    expect((await readDecisions(world, user, { after: rows.length - 1 })).map((each) => each.sequence)).toEqual([
      rows.length,
    ]);
  });

  it('keeps fields of a newer server that this SDK does not know', () => {
    const unknownField = Buffer.from([0xc0, 0xb8, 0x02, 0x07]);
    const event = Buffer.concat([
      proto.api.history.v1.HistoryEvent.encode({ eventId: 1 as never }).finish(),
      unknownField,
    ]);
    const history = Buffer.concat([Buffer.from([0x0a, event.length]), event]);
    expect(bytesOf(HistoryMessage.decode(history)).equals(history)).toBe(true);
  });
});

describe('when a chain has ended', () => {
  const [ended, running] = [newUser('ended'), newUser('running')];
  let lastRunId: string;
  beforeAll(async () => {
    await addPen(world, ended);
    await addPen(world, running);
    const handle = world.client.workflow.getHandle(cartWorkflowId(ended));
    lastRunId = (await handle.describe()).runId;
    await handle.terminate('test');
  });

  it('the sweep archives its last run, and not a run that is open', async () => {
    await until('the run is archived', async () => {
      await sweepClosedRuns(world);
      return (await findArchived(world.db, [lastRunId])).has(lastRunId);
    });
    expect(await listArchived(world.db, ended)).toMatchObject([{ runId: lastRunId, closedAs: 'Terminated' }]);
    expect(await listArchived(world.db, running)).toEqual([]);
    expect(await sweepClosedRuns(world)).toBe(0);
  });

  it('every user is listed once', async () => {
    const users: string[] = [];
    for await (const each of listUsers(world)) users.push(each);
    expect(users.sort()).toEqual([user, ended, running].sort());
  });

  it('the sweep stops when it is aborted', async () => {
    expect(await sweepClosedRuns(world, AbortSignal.abort())).toBe(0);
  });

  describe('and Temporal has deleted closed runs', () => {
    let deleted: RunInfo;
    beforeAll(async () => {
      deleted = (await listRuns(world, user))[0]!;
      await Promise.all([deleteRun(world, user, deleted.runId), deleteRun(world, ended, lastRunId)]);
    });

    it('they are read from the archive, and every decision is read exactly once', async () => {
      const runs = await readRuns(world, user);
      expect(runs.map((run) => run.source)).toEqual(['archive', ...runs.slice(1).map(() => 'temporal')]);
      const { history, ...info } = runs[0]!;
      expect(info).toEqual({ ...deleted, source: 'archive' });
      const { sequence } = await world.db('carts').where({ user_id: user }).first('sequence');
      expect(runs.flatMap((run) => decisionsIn(run.history).map((each) => each.decision.sequence))).toEqual(
        sequencesUpTo(sequence),
      );
      expect(await readDecisions(world, ended)).toMatchObject([{ sequence: 1, runId: lastRunId }]);
    });

    it('an archived history that was changed is rejected, and a deleted one is missing', async () => {
      const changeArchive = async (change: (trx: Knex.Transaction) => Promise<unknown>) =>
        world.db.transaction(async (trx) => {
          await trx.raw("set local session_replication_role = 'replica'");
          await change(trx);
        });
      const row = (trx: Knex.Transaction) => trx('cart_histories').where({ run_id: lastRunId });
      await changeArchive((trx) => row(trx).update({ sha256: Buffer.alloc(32) }));
      await expect(readRuns(world, ended)).rejects.toThrow(lastRunId);
      await changeArchive((trx) => row(trx).delete());
      expect(await readRuns(world, ended)).toEqual([]);
    });
  });
});
