import { NativeConnection } from '@temporalio/worker';
import { createCartWorker } from '../../src/worker/cart-worker';
import { createDatabase } from '../support/database';
import { captureSdkLog } from '../support/sdk-log';

it('a worker gives a step of a workflow a minute, an option that the types of the SDK do not have', async () => {
  captureSdkLog();
  const database = await createDatabase();
  const connection = await NativeConnection.connect({ address: process.env.TEST_TEMPORAL_ADDRESS! });
  const worker = await createCartWorker({
    ...{ connection, namespace: 'default', taskQueue: 'carts-unused', db: database.db, lateAfterMs: 0 },
    workflowBundle: { codePath: process.env.TEST_WORKFLOW_BUNDLE! },
  });
  expect(worker.options.isolateExecutionTimeoutMs).toBe(60_000);
  await worker.runUntil(async () => undefined);
  await connection.close();
  await database.drop();
});
