import { randomUUID } from 'node:crypto';
import { WorkflowClient } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { cartWorkflowId } from '../../src/contract/ids';
import { createCartWorker } from '../../src/worker/cart-worker';
import { createDatabase, type TestDatabase } from '../support/database';
import { captureSdkLog, expectNoSdkFailure } from '../support/sdk-log';
import { until } from '../support/until';

let env: TestWorkflowEnvironment;
let database: TestDatabase;
beforeAll(async () => {
  captureSdkLog();
  // The time-skipping server has no list of workflows, in which a new chain looks for runs that ended before.
  jest.spyOn(WorkflowClient.prototype, 'list').mockReturnValue({
    async *[Symbol.asyncIterator]() {},
  } as unknown as ReturnType<WorkflowClient['list']>);
  database = await createDatabase();
  env = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: process.env.TEST_SERVER_PATH! } },
  });
  await env.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: { CartUserId: 2, CartStatus: 2, CartItemCount: 3 },
  });
});
afterAll(async () => {
  jest.restoreAllMocks();
  await env?.teardown();
  await database?.drop();
  expectNoSdkFailure();
});

const addPen = (now: number) => ({
  commandId: randomUUID(),
  issuedAt: new Date(now).toISOString(),
  actor: 'user:test',
  productId: 'pen',
  name: 'Pen',
  unitPrice: 250,
  currency: 'EUR',
  quantity: 1,
});

it('a cart without commands for 30 days ends its run, and its next command gets the next version', async () => {
  const taskQueue = `idle-${randomUUID()}`;
  const workflowId = cartWorkflowId(`user-${randomUUID()}`);
  const worker = await createCartWorker({
    lateAfterMs: 3_600_000,
    connection: env.nativeConnection,
    namespace: 'default',
    taskQueue,
    db: database.db,
    workflowBundle: { codePath: process.env.TEST_WORKFLOW_BUNDLE! },
  });
  const add = async () =>
    env.client.workflow.signalWithStart('cartWorkflow', {
      workflowId,
      taskQueue,
      signal: 'addItem',
      signalArgs: [addPen(await env.currentTimeMs())],
    });
  const version = async () => (await database.db('carts').first('version'))?.version;
  const status = async () => (await env.client.workflow.getHandle(workflowId).describe()).status.name;
  await worker.runUntil(async () => {
    await add();
    await until('the first command is projected', async () => (await version()) === 1);
    await env.sleep('29 days');
    await add();
    await until('the second command is projected', async () => (await version()) === 2);
    await env.sleep('29 days');
    expect(await status()).toBe('RUNNING');
    await env.sleep('2 days');
    await until('the run ended', async () => (await status()) === 'COMPLETED');
    await add();
    await until('the third command is projected', async () => (await version()) === 3);
    expect(await database.db('cart_items').first('quantity')).toEqual({ quantity: 3 });
  });
});
