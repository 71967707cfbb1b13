import { Worker } from '@temporalio/worker';
import { createActivities } from '../../activities';
import type { Batch } from '../../src/contract/activities';
import { mostAtOnce } from '../../src/contract/at-once';
import { cartWorkflowId } from '../../src/contract/ids';
import { deliverLeftBehind } from '../../src/delivery/deliver';
import type { Command } from '../../src/domain/commands';
import { handleAll, refOf } from '../../src/domain/handle';
import { readRecordEnd } from '../../src/postgres/log/checkpoint';
import { readLogs, readStoredDecisions } from '../../src/postgres/log/read-logs';
import { projectBatches } from '../../src/postgres/projection/project';
import { verifyUser } from '../../src/recovery/verify-all';
import { openWorkerConnection } from '../../src/temporal/connection';
import { readDecisions } from '../../src/temporal/histories/read-decisions';
import { payloadConverterPath } from '../../src/worker/bundle';
import { buttonsOf, lockCart } from '../support/buttons';
import { replayCart } from '../support/replay';
import { until } from '../support/until';
import { newUser, openWorld, type World } from '../support/world';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const wait = { Prefer: 'wait=30' };
const add = (user: string, productId = 'pen', headers: Record<string, string> = wait) =>
  world.request('POST', `/carts/${user}/items`, { productId }, headers);
const source = () => ({ client: world.client, db: world.db });
const findingsOf = async (user: string) => (await verifyUser(source(), user)).findings;
const eventsOf = async (user: string) => (await buttonsOf(world, user).handle().fetchHistory()).events!;
const onRecord = async (user: string) => {
  const [log] = await readLogs(world.db, [user]);
  return (await readStoredDecisions(world.db, log!)).map(({ decision }) => decision);
};
/** An answer comes as soon as Postgres has the decision, which is before the history has it. */
const untilInHistory = (user: string) =>
  until('the history has all decisions', async () => {
    const [shown, recorded] = [await readDecisions(source(), user), await onRecord(user)];
    return shown.length === recorded.length;
  });
/** Waits until no task of the run is under way. */
const untilAnswered = (user: string) =>
  until('the task has ended', async () => {
    const { raw } = await buttonsOf(world, user).handle().describe();
    return raw.pendingWorkflowTask == null && !raw.pendingActivities?.length;
  });
/** The names of the attributes of events: what kinds they are. */
const kindsOf = (events: Awaited<ReturnType<typeof eventsOf>>) =>
  events.map((event) => Object.keys(event).find((field) => field.endsWith('EventAttributes')));
const markersOf = (user: string) => buttonsOf(world, user).count('markerRecordedEventAttributes');
const projectionsOf = (user: string) => buttonsOf(world, user).count('activityTaskScheduledEventAttributes');

/** Commands that nobody has sent yet. */
const additions = (user: string, count: number, round = 0): Command[] =>
  Array.from({ length: count }, (_, index) => ({
    type: 'addItem',
    ...{ commandId: `${user}-${round}-${index}`, issuedAt: new Date().toISOString(), actor: 'user:test' },
    ...{ productId: 'ink', name: 'Ink, 30 ml', unitPrice: 1_190, currency: 'EUR', quantity: 1 },
  }));

describe('a lone command', () => {
  it('takes five events, with its decision in the last of them and a summary beside it', async () => {
    const user = newUser();
    await add(user);
    await untilInHistory(user);
    const before = (await eventsOf(user)).length;
    await add(user, 'ink');
    await untilInHistory(user);
    const events = (await eventsOf(user)).slice(before);
    expect(kindsOf(events)).toEqual([
      'workflowExecutionSignaledEventAttributes',
      'workflowTaskScheduledEventAttributes',
      'workflowTaskStartedEventAttributes',
      'workflowTaskCompletedEventAttributes',
      'markerRecordedEventAttributes',
    ]);
    expect(String(events.at(-1)!.userMetadata?.summary?.data)).toBe('"v2: ItemAdded"');
    expect(await readDecisions(source(), user)).toEqual(await onRecord(user));
    expect(await findingsOf(user)).toEqual([]);
  });

  it('of a new cart takes one workflow task', async () => {
    const user = newUser();
    await add(user);
    expect(
      kindsOf(await eventsOf(user)).filter((kind) => kind === 'workflowTaskScheduledEventAttributes'),
    ).toHaveLength(1);
    expect(await projectionsOf(user)).toBe(0);
  });

  it('goes the regular way where Postgres does not answer in time, and so does the next one', async () => {
    const user = newUser();
    await add(user);
    const unlock = await lockCart(world.db, user);
    expect((await add(user, 'ink', {})).status).toBe(202);
    await until('the projection is an activity', async () => (await projectionsOf(user)) === 1);
    await unlock();
    await until('it is projected', async () => (await onRecord(user)).length === 2);
    const markers = await markersOf(user);
    await add(user, 'pad');
    expect([await projectionsOf(user), await markersOf(user)]).toEqual([2, markers]);
    expect((await add(user)).body).toMatchObject({ version: 4, itemCount: 4 });
    await untilInHistory(user);
    expect([await projectionsOf(user), await markersOf(user)]).toEqual([2, markers + 1]);
    expect(await findingsOf(user)).toEqual([]);
  });
});

it('more commands together than fit go the regular way', async () => {
  const user = newUser();
  await add(user);
  await world.stopWorker();
  for (let count = 0; count <= mostAtOnce; count += 1) await add(user, 'pen', {});
  await world.startWorker();
  await until('all are projected', async () => (await onRecord(user)).length === mostAtOnce + 2);
  expect(await projectionsOf(user)).toBe(1);
});

it('commands are decided once where more signals come than Temporal holds back during a task', async () => {
  const user = newUser();
  await add(user);
  for (let round = 1; round <= 5; round += 1) {
    const unlock = await lockCart(world.db, user);
    await Promise.all(additions(user, 300, round).map(({ type, ...fields }) => world.signal(user, type, fields)));
    await unlock();
    await until('all are projected', async () => (await onRecord(user)).length === 300 * round + 1);
  }
  await replayCart(user, await world.client.workflow.getHandle(cartWorkflowId(user)).fetchHistory());
  expect(await findingsOf(user)).toEqual([]);
});

describe('a worker that is killed after it projected, and before Temporal has its answer', () => {
  /** Leaves the history as such a worker does: with commands received. @returns what it projects of them. */
  const killBeforeProjecting = async (user: string, count: number): Promise<Batch> => {
    await world.stopWorker();
    const commands = additions(user, count);
    for (const { type, ...fields } of commands) await world.signal(user, type, fields);
    const { runId } = await buttonsOf(world, user).handle().describe();
    const { checkpoint } = await readRecordEnd(world.db, user);
    const context = { now: new Date().toISOString(), runId, freshId: () => '', unprojectedCount: 0 };
    const { decisions } = handleAll(checkpoint, commands, context);
    return { userId: user, decisions, after: checkpoint.last ?? null };
  };
  const projectLate = (batch: Batch) => world.db.transaction((trx) => projectBatches(trx, [batch]));
  /** Leaves the record and the history as such a worker does: commands received, decided and projected, no more. */
  const killAfterProjecting = async (user: string, count: number) => {
    const batch = await killBeforeProjecting(user, count);
    await projectLate(batch);
    return batch.decisions;
  };
  const isWhole = async (user: string, count: number) => {
    const decisions = await onRecord(user);
    expect(decisions.map(({ command }) => command.commandId)).toHaveLength(count);
    await untilInHistory(user);
    expect(await readDecisions(source(), user)).toEqual(decisions);
    expect(await findingsOf(user)).toEqual([]);
  };

  const ways: readonly [string, (user: string) => Promise<unknown>][] = [
    ['goes on elsewhere', async () => {}],
    ['was terminated', (user) => buttonsOf(world, user).terminate()],
    [
      'was reset to its first task',
      async (user) => buttonsOf(world, user).reset((await buttonsOf(world, user).tasks())[0]!),
    ],
    [
      'was reset without its signals',
      async (user) => buttonsOf(world, user).reset((await buttonsOf(world, user).tasks())[0]!, false),
    ],
  ];
  it.each(ways)('leaves what it projected on record, once, where the run %s', async (_way, press) => {
    for (const count of [1, 3, mostAtOnce]) {
      const user = newUser();
      for (const product of ['pen', 'ink']) await add(user, product);
      const projected = await killAfterProjecting(user, count);
      expect(await findingsOf(user)).toEqual([]);
      await press(user);
      await world.startWorker();
      expect((await add(user, 'pad')).body).toMatchObject({ version: 3 + count, itemCount: 3 + count });
      expect((await onRecord(user)).slice(2, -1)).toEqual(projected);
      await isWhole(user, 3 + count);
    }
  });

  it('has what it projected in the history of a run that a sweep starts, where nobody touches the cart again', async () => {
    const user = newUser();
    await add(user);
    await untilInHistory(user);
    await killAfterProjecting(user, 2);
    await buttonsOf(world, user).terminate();
    await world.startWorker();
    await until('a run is started', async () => {
      await deliverLeftBehind(source(), world.taskQueue, { userId: user });
      return (await buttonsOf(world, user).handle().describe()).status.name === 'RUNNING';
    });
    await isWhole(user, 3);
  });

  it('has what it projected in the history of the run that is there already, where nobody touches the cart again', async () => {
    const user = newUser();
    await add(user);
    await untilInHistory(user);
    const late = await killBeforeProjecting(user, 2);
    await buttonsOf(world, user).reset((await buttonsOf(world, user).tasks())[0]!, false);
    await world.startWorker();
    await untilAnswered(user);
    await projectLate(late);
    await until('the run that was reset is settled', async () => {
      await deliverLeftBehind(source(), world.taskQueue, { userId: user });
      return (await world.db('settled_runs').where({ run_id: late.decisions[0]!.runId })).length === 1;
    });
    await isWhole(user, 3);
  });

  it('leaves a finding where such a row was changed since, also after the cart has gone on', async () => {
    for (const change of [{ actor: 'user:mallory' }, { outcome: 'rejected', code: 'cart_empty', reason: 'none' }]) {
      const user = newUser();
      await add(user);
      await untilInHistory(user);
      await killAfterProjecting(user, 1);
      await buttonsOf(world, user).terminate();
      await world.db.transaction(async (trx) => {
        await trx.raw("set local session_replication_role = 'replica'");
        await trx('cart_commands').where({ user_id: user, sequence: 2 }).update(change);
      });
      const inHistories = async () => (await findingsOf(user)).filter(({ where }) => where === 'histories');
      expect(await inHistories()).toMatchObject([{ sequence: 2 }]);
      await world.startWorker();
      await add(user);
      await untilAnswered(user);
      expect(await inHistories()).toMatchObject([{ sequence: 2 }]);
    }
  });

  it('leaves a finding where a row is on record whose command nobody sent', async () => {
    const user = newUser();
    await add(user);
    const [last] = await onRecord(user);
    const context = { now: new Date().toISOString(), runId: last!.runId, freshId: () => '', unprojectedCount: 0 };
    const { decisions } = handleAll((await readRecordEnd(world.db, user)).checkpoint, additions(user, 1), context);
    await world.db.transaction((trx) => projectBatches(trx, [{ userId: user, decisions, after: refOf(last!) }]));
    expect(await findingsOf(user)).toEqual([expect.objectContaining({ where: 'histories', sequence: 2 })]);
    await add(user, 'pad');
    await untilAnswered(user);
    expect(await findingsOf(user)).toEqual([expect.objectContaining({ where: 'histories', sequence: 2 })]);
  });
});

it('a run goes on with the steps of the present code where a worker of before began it', async () => {
  const user = newUser();
  await world.stopWorker();
  const connection = await openWorkerConnection({
    connection: { address: process.env.TEST_TEMPORAL_ADDRESS! },
  });
  const earlier = await Worker.create({
    connection,
    ...{ namespace: world.namespace, taskQueue: world.taskQueue, buildId: 'of version 0.3.0' },
    workflowBundle: { codePath: process.env.TEST_WORKFLOW_BUNDLE! },
    activities: createActivities(source(), { lateAfterMs: 3_600_000 }),
    dataConverter: { payloadConverterPath },
  });
  await earlier.runUntil(async () => {
    await add(user);
    await add(user, 'ink');
  });
  await connection.close();
  expect([await projectionsOf(user), await markersOf(user)]).toEqual([2, 0]);
  await world.startWorker();
  await add(user, 'pad');
  await untilInHistory(user);
  expect([await projectionsOf(user), await markersOf(user)]).toEqual([2, 1]);
  await replayCart(user, await world.client.workflow.getHandle(cartWorkflowId(user)).fetchHistory());
  expect(await findingsOf(user)).toEqual([]);
});
