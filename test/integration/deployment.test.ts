import { NativeConnection, Worker } from '@temporalio/worker';
import { createActivities } from '../../activities';
import { cartWorkflowId } from '../../src/contract/ids';
import { verifyUser } from '../../src/recovery/verify-all';
import { payloadConverterPath } from '../../src/worker/bundle';
import { replayCart } from '../support/replay';
import { until } from '../support/until';
import { newUser, openWorld, type World } from '../support/world';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

/** Does something while a worker of an earlier build runs. */
async function withEarlierBuild(buildId: string, task: () => Promise<unknown>): Promise<void> {
  const connection = await NativeConnection.connect({ address: process.env.TEST_TEMPORAL_ADDRESS! });
  const { client, db, namespace, taskQueue } = world;
  const worker = await Worker.create({
    ...{ connection, namespace, taskQueue, buildId },
    activities: createActivities({ client, db }, { lateAfterMs: 3_600_000 }),
    workflowBundle: { codePath: process.env.TEST_WORKFLOW_BUNDLE! },
    dataConverter: { payloadConverterPath },
  });
  try {
    await worker.runUntil(task());
  } finally {
    await connection.close();
  }
}

/** A checkout as the command side sent it before there were facts. */
const signalCheckOut = (user: string, commandId: string) =>
  world.signal(user, 'checkOut', { commandId, issuedAt: new Date().toISOString(), actor: `user:${user}` });
const add = (user: string) =>
  world.request('POST', `/carts/${user}/items`, { productId: 'pen' }, { Prefer: 'wait=20' });
const outcomeOf = (user: string, commandId: string) =>
  until('it has its outcome', async () => {
    const { status, body } = await world.request('GET', `/carts/${user}/commands/${commandId}`);
    return status === 200 && (body.code ?? body.status);
  });

describe.each(['cart-1', 'cart-2'])('a cart that is open while workers of %s are replaced', (buildId) => {
  it('decides checkouts without facts as before if they were sent before, and sells nothing by later ones', async () => {
    const user = newUser();
    await world.stopWorker();
    await withEarlierBuild(buildId, async () => {
      await add(user);
      await signalCheckOut(user, 'decided-before');
      expect(await outcomeOf(user, 'decided-before')).toBe('applied');
      await add(user);
    });
    await signalCheckOut(user, 'sent-before');
    await world.startWorker();
    expect(await outcomeOf(user, 'sent-before')).toBe('applied');
    await add(user);
    await signalCheckOut(user, 'sent-later');
    expect(await outcomeOf(user, 'sent-later')).toBe('try_again');

    const { findings } = await verifyUser({ client: world.client, db: world.db }, user);
    expect(findings).toEqual([]);
    const history = await world.client.workflow.getHandle(cartWorkflowId(user)).fetchHistory();
    await replayCart(user, history);
  });
});
