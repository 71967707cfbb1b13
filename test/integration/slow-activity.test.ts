import { tsToMs } from '@temporalio/common/lib/time';
import { cartWorkflowId } from '../../src/contract/ids';
import { readRuns } from '../../src/temporal/histories/histories';
import { until } from '../support/until';
import { newUser, openWorld, type World } from '../support/world';

/** The activities' heartbeat timeout (workflows/activity.ts). */
const heartbeatTimeoutMs = 3_000;

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

it('a projection that takes longer than the heartbeat timeout is not started a second time', async () => {
  const user = newUser();
  const wait = { Prefer: 'wait=20' };
  await world.request('POST', `/carts/${user}/items`, { productId: 'pen' }, wait);
  const workflow = world.client.workflow.getHandle(cartWorkflowId(user));
  const lock = await world.db.transaction();
  await lock('carts').where({ user_id: user }).forUpdate().select('user_id');
  const answer = world.request('POST', `/carts/${user}/items`, { productId: 'ink' }, wait);
  try {
    await until('the projection has sent heartbeats for longer than the timeout', async () => {
      const [pending] = (await workflow.describe()).raw.pendingActivities ?? [];
      if (!pending?.lastHeartbeatTime) return false;
      return tsToMs(pending.lastHeartbeatTime) - tsToMs(pending.lastStartedTime!) > heartbeatTimeoutMs;
    });
  } finally {
    await lock.commit();
  }
  expect(await answer).toMatchObject({ status: 200, body: { version: 2 } });
  const [run] = await readRuns(world, user);
  const attempts = run!.history.events!.flatMap((event) => event.activityTaskStartedEventAttributes?.attempt ?? []);
  expect(attempts.slice(-1)).toEqual([1]);
});
