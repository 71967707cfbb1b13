import { randomUUID } from 'node:crypto';
import { cartWorkflowId } from '../../src/contract/ids';
import { deliverLeftBehind } from '../../src/delivery/deliver';
import { readLeftBehind } from '../../src/delivery/left-behind';
import { readLogs, readStoredDecisions } from '../../src/postgres/log/read-logs';
import { verifyUser } from '../../src/recovery/verify-all';
import { readDecisions } from '../../src/temporal/histories/read-decisions';
import { buttonsOf, lockCart } from '../support/buttons';
import { forget } from '../support/forget';
import { until } from '../support/until';
import { newUser, openWorld, type World } from '../support/world';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const wait = { Prefer: 'wait=30' };
const send = (user: string, method: string, path: string, body?: object, headers = {}) =>
  world.request(method, `/carts/${user}${path}`, body, headers);
const add = (user: string, productId = 'pen', headers: Record<string, string> = wait) =>
  send(user, 'POST', '/items', { productId }, headers);
const cartOf = async (user: string) => (await world.request('GET', `/carts/${user}`)).body;
const commandsOf = (user: string) => world.db('cart_commands').where({ user_id: user }).orderBy('sequence');
const findingsOf = async (user: string) => (await verifyUser({ client: world.client, db: world.db }, user)).findings;
const sweep = (userId: string) =>
  deliverLeftBehind({ client: world.client, db: world.db }, world.taskQueue, { userId });

/** Waits until a sweep delivers something: Temporal's list gets the end of a run a little later. */
const sweepUntilDelivered = (user: string) =>
  until('something is delivered', async () => (await sweep(user)).commands > 0);

/** Sends commands that are accepted and that nobody decides, and terminates the run. */
async function leaveBehind(user: string, commands: () => Promise<unknown>): Promise<void> {
  await world.stopWorker();
  await commands();
  await buttonsOf(world, user).terminate();
  await world.startWorker();
}

describe('commands of a run that was terminated', () => {
  it('take effect once where they were decided and not projected, and the cart goes on', async () => {
    const user = newUser();
    for (let n = 0; n < 5; n += 1) await add(user);
    const unlock = await lockCart(world.db, user);
    for (let n = 0; n < 3; n += 1) expect((await add(user, 'ink', {})).status).toBe(202);
    const run = buttonsOf(world, user);
    await until('they are decided', async () => (await run.count('activityTaskScheduledEventAttributes')) > 0);
    await run.terminate();
    await unlock();
    expect(await add(user, 'pad')).toMatchObject({ status: 200 });
    await until('all have taken effect', async () => (await cartOf(user)).itemCount === 9);
    expect((await commandsOf(user)).length).toBe(9);
    expect(await findingsOf(user)).toEqual([]);
  });

  it('take effect before the command that starts the next run, in their order', async () => {
    const user = newUser();
    await add(user, 'pen');
    await leaveBehind(user, async () => {
      await send(user, 'PUT', '/items/pen', { quantity: 7 });
      await add(user, 'ink', {});
      await send(user, 'POST', '/checkout');
    });
    expect((await add(user, 'pad')).body).toMatchObject({ version: 5, itemCount: 1 });
    expect((await commandsOf(user)).map(({ type, outcome }) => [type, outcome])).toEqual([
      ['addItem', 'applied'],
      ['changeItemQuantity', 'applied'],
      ['addItem', 'applied'],
      ['checkOut', 'applied'],
      ['addItem', 'applied'],
    ]);
    expect(await findingsOf(user)).toEqual([]);
  });

  it('take effect though nobody touches the cart, by a sweep', async () => {
    const user = newUser();
    await leaveBehind(user, () => Promise.all([add(user, 'pen', {}), add(user, 'ink', {}), add(user, 'pad', {})]));
    expect(await findingsOf(user)).toEqual(
      Array(3).fill(expect.objectContaining({ what: expect.stringContaining('not on record') })),
    );
    await sweepUntilDelivered(user);
    await until('they have taken effect', async () => (await cartOf(user)).itemCount === 3);
    expect(await findingsOf(user)).toEqual([]);
  });

  it('are recorded as rejected where they could not be read, once', async () => {
    const user = newUser();
    await add(user);
    await leaveBehind(user, async () => {
      await world.signal(user, 'addItem', { nothing: 'usable' });
      await world.signal(user, '__temporal_signal', {});
      await world.signal(user, 'no such command');
    });
    await add(user);
    await sweep(user);
    await add(user);
    expect((await commandsOf(user)).map(({ code }) => code)).toEqual([
      null,
      'malformed_command',
      'malformed_command',
      'malformed_command',
      null,
      null,
    ]);
    expect(await findingsOf(user)).toEqual([]);
  });

  it('are recorded as reused keys where another request has their key', async () => {
    const user = newUser();
    const key = { 'Idempotency-Key': 'one-key' };
    await leaveBehind(user, async () => {
      await add(user, 'pen', key);
      await add(user, 'ink', key);
    });
    await sweepUntilDelivered(user);
    await until('both are on record', async () => (await commandsOf(user)).length === 2);
    await until('the run is settled', async () => (await sweep(user)).commands === 0);
    expect((await commandsOf(user)).map(({ command_id, code }) => [command_id, code])).toEqual([
      ['one-key', null],
      ['one-key~2', 'idempotency_key_reused'],
    ]);
    expect((await cartOf(user)).itemCount).toBe(1);
  });

  it('take effect once where they were carried from run to run', async () => {
    const user = newUser();
    await add(user);
    const unlock = await lockCart(world.db, user);
    await add(user, 'ink', {});
    const run = buttonsOf(world, user);
    const { runId } = await run.handle().describe();
    const again = { commandId: randomUUID(), issuedAt: new Date().toISOString(), actor: 'test', productId: 'pen' };
    for (let n = 0; n < 30; n += 1) {
      await Promise.all(Array.from({ length: 201 }, () => run.handle().signal('removeItem', again)));
    }
    await until('the run continues as new', async () => (await run.handle().describe()).runId !== runId);
    await run.terminate();
    await unlock();
    await add(user, 'pad');
    await until('all have taken effect', async () => (await commandsOf(user)).length === 4);
    expect((await cartOf(user)).items.map(({ productId }: { productId: string }) => productId)).toEqual(['ink', 'pad']);
    expect(await findingsOf(user)).toEqual([]);
  });

  it('are superseded where they come too late', async () => {
    const user = newUser();
    await leaveBehind(user, () => add(user, 'pen', {}));
    const source = { client: world.client, db: world.db };
    const inAnHour = { runId: 'asks', now: new Date(Date.now() + 3_600_500), lateAfterMs: 3_600_000 };
    const soon = { ...inAnHour, now: new Date(Date.now() + 3_500_000) };
    expect((await readLeftBehind(source, user, inAnHour)).commands).toMatchObject([
      { superseded: { type: 'addItem', productId: 'pen' }, reason: expect.stringContaining('too late') },
    ]);
    expect((await readLeftBehind(source, user, soon)).commands).toMatchObject([{ type: 'addItem', productId: 'pen' }]);
  });

  it('are left alone where the run ended before this database knew of settled runs', async () => {
    const user = newUser();
    await leaveBehind(user, () => add(user, 'pen', {}));
    const known = world.db('migrations').where({ name: '0005-settled-runs' });
    const [{ migration_time: since }] = await known.clone();
    await known.clone().update({ migration_time: new Date(Date.now() + 60_000) });
    expect((await add(user, 'ink')).body).toMatchObject({ version: 1, itemCount: 1 });
    await known.clone().update({ migration_time: since });
  });
});

describe('a run that has nothing left', () => {
  it('is settled and archived, and the cart is not asked', async () => {
    const user = newUser();
    await add(user);
    const run = buttonsOf(world, user);
    const { runId } = await run.handle().describe();
    await until('its history has all', async () => (await run.count('markerRecordedEventAttributes')) === 1);
    await run.terminate();
    await add(user);
    const settled = () => world.db('settled_runs').where({ run_id: runId });
    await until('it is settled', async () => {
      await sweep(user);
      return (await settled()).length === 1;
    });
    expect(await world.db('cart_histories').where({ run_id: runId })).toMatchObject([{ closed_as: 'Terminated' }]);
    expect(await run.count('workflowExecutionSignaledEventAttributes')).toBe(1);
  });
});

describe('commands of a run that was reset without its signals', () => {
  it('take effect once, by a sweep', async () => {
    const user = newUser();
    await add(user);
    const run = buttonsOf(world, user);
    const unlock = await lockCart(world.db, user);
    await Promise.all([add(user, 'ink', {}), add(user, 'pad', {})]);
    await run.reset((await run.tasks()).at(0)!, false);
    await unlock();
    await until('they have taken effect', async () => {
      await sweep(user);
      return (await cartOf(user)).itemCount === 3;
    });
    await until('the run is settled', async () => (await sweep(user)).commands === 0);
    expect((await commandsOf(user)).length).toBe(3);
    expect(await findingsOf(user)).toEqual([]);
  });

  it('are superseded where a later one is on record, but for items to add', async () => {
    const user = newUser();
    await add(user);
    const run = buttonsOf(world, user);
    await world.stopWorker();
    await send(user, 'POST', '/checkout', undefined, { 'Idempotency-Key': 'old-checkout' });
    await add(user, 'ink', {});
    await run.reset((await run.tasks()).at(-1)!, false);
    await add(user, 'pad', {});
    await world.startWorker();
    await until('the later one is on record', async () => (await cartOf(user)).itemCount === 2);
    await sweepUntilDelivered(user);
    await until('they are on record', async () => (await commandsOf(user)).length === 4);
    expect(await cartOf(user)).toMatchObject({ version: 3, itemCount: 3 });
    const outcome = await world.request('GET', `/carts/${user}/commands/old-checkout`);
    expect(outcome.body).toMatchObject({ status: 'rejected', code: 'superseded', reason: /received later/ });
    expect(await findingsOf(user)).toEqual([]);
  });
});

describe('a fresh chain after an older backup was restored', () => {
  it.each([0, 2])('takes what was shown after decision %i as it was decided', async (sequence) => {
    const user = newUser();
    for (const product of ['pen', 'ink', 'pad', 'pen']) await add(user, product);
    const before = await commandsOf(user);
    const run = buttonsOf(world, user);
    await until('the run knows that all are projected', async () => {
      return (await run.count('markerRecordedEventAttributes')) === before.length;
    });
    await run.terminate();
    await forget(world.db, user, sequence);
    expect((await add(user)).body).toMatchObject({ version: 5, itemCount: 5 });
    expect((await commandsOf(user)).slice(0, 4)).toEqual(before);
  });
});

describe('an activity that reads what was left behind', () => {
  it('is run again where somebody completes or fails it by hand', async () => {
    const user = newUser();
    await add(user);
    await leaveBehind(user, () => add(user, 'ink', {}));
    const blocker = await world.db.transaction();
    await blocker.raw('lock table cart_commands in access exclusive mode');
    const adding = add(user, 'pad');
    const pending = async () => {
      const { pendingActivities } = (await buttonsOf(world, user).handle().describe()).raw;
      return (
        pendingActivities?.find(({ activityType }) => activityType?.name === 'loadCheckpoint')?.activityId ?? undefined
      );
    };
    const { workflowService } = world.client;
    const failure = { message: 'by hand', applicationFailureInfo: { nonRetryable: true } };
    const byHand = [
      (activity: { activityId: string }) => workflowService.respondActivityTaskCompletedById(activity),
      (activity: { activityId: string }) => workflowService.respondActivityTaskFailedById({ ...activity, failure }),
    ];
    for (const answer of byHand) {
      const activityId = await until('it is pending', pending);
      const activity = { namespace: world.namespace, workflowId: cartWorkflowId(user), activityId };
      await answer(activity);
      await until('it is another one', async () => (await pending()) !== activityId);
    }
    await blocker.rollback();
    expect((await adding).body).toMatchObject({ version: 3, itemCount: 3 });
  });
});

describe('a signal with two inputs', () => {
  it('carries one command; the second is recorded as malformed', async () => {
    const user = newUser();
    const envelope = () => ({ commandId: randomUUID(), issuedAt: new Date().toISOString(), actor: 'test' });
    const pen = { productId: 'pen', name: 'Pen', unitPrice: 250, currency: 'EUR', quantity: 1 };
    await world.signal(user, 'addItem', { ...envelope(), ...pen }, { ...envelope(), ...pen, quantity: 5 });
    await until('both are on record', async () => (await commandsOf(user)).length === 2);
    expect((await commandsOf(user)).map(({ outcome }) => outcome)).toEqual(['applied', 'rejected']);
    expect((await cartOf(user)).itemCount).toBe(1);
  });
});

describe('the histories of all these carts', () => {
  it('give the record that Postgres has, also where it is rebuilt from them alone', async () => {
    const source = { client: world.client, db: world.db };
    const users: string[] = await world.db('carts').pluck('user_id');
    expect(users.length).toBeGreaterThan(5);
    for (const log of await readLogs(world.db, users)) {
      const recorded = (await readStoredDecisions(world.db, log)).map(({ decision }) => decision);
      expect(await readDecisions(source, log.userId)).toEqual(recorded);
    }
  });
});
