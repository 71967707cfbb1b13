import { bundleWorkflowCode, type WorkflowBundle } from '@temporalio/worker';
import { cartWorkflowId } from '../../src/contract/ids';
import { verifyUser } from '../../src/recovery/verify-all';
import { payloadConverterPath } from '../../src/worker/bundle';
import { runCartWorker } from '../../src/worker/run-cart-worker';
import { until } from '../support/until';
import { newUser, openWorld, type World } from '../support/world';

let world: World;
let deafBundle: WorkflowBundle;
beforeAll(async () => {
  world = await openWorld();
  deafBundle = await bundleWorkflowCode({
    workflowsPath: require.resolve('../../workflows/cart'),
    workflowInterceptorModules: [require.resolve('../support/deaf-run')],
    payloadConverterPath,
    logger: { trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error, log() {} },
  });
});
afterAll(() => world.close());

const add = (user: string, key: string, wait = 20) =>
  world.request(
    'POST',
    `/carts/${user}/items`,
    { productId: 'pen' },
    {
      'Idempotency-Key': key,
      ...(wait > 0 ? { Prefer: `wait=${wait}` } : {}),
    },
  );

describe('a run whose worker did not give it a signal', () => {
  it('is ended once another worker replays it, and every command has one outcome', async () => {
    const user = newUser();
    await world.stopWorker();
    const deaf = await runCartWorker({
      temporal: { connection: { address: process.env.TEST_TEMPORAL_ADDRESS! }, namespace: world.namespace },
      databaseUrl: world.databaseUrl,
      taskQueue: world.taskQueue,
      lateAfterMs: 3_600_000,
      workflowBundle: deafBundle,
    });
    expect((await add(user, 'first')).body.itemCount).toBe(1);
    expect((await add(user, 'unheard', 0)).status).toBe(202);
    expect((await add(user, 'second')).body.itemCount).toBe(2);
    await deaf.close();
    const { runId } = await world.client.workflow.getHandle(cartWorkflowId(user)).describe();

    await world.startWorker();
    expect((await add(user, 'third', 0)).status).toBe(202);
    const first = world.client.workflow.getHandle(cartWorkflowId(user), runId);
    await until('the run is ended', async () => (await first.describe()).status.name === 'TERMINATED');
    await add(user, 'fourth');
    const outcomes = await Promise.all(
      ['first', 'unheard', 'second', 'third', 'fourth'].map(async (key) =>
        until(`${key} has an outcome`, async () => {
          const { status, body } = await world.request('GET', `/carts/${user}/commands/${key}`);
          return status === 200 && body.status;
        }),
      ),
    );
    expect(outcomes).toEqual(['applied', 'applied', 'applied', 'applied', 'applied']);
    expect((await world.request('GET', `/carts/${user}`)).body.itemCount).toBe(5);
    expect((await verifyUser({ client: world.client, db: world.db }, user)).findings).toEqual([]);
  });
});
