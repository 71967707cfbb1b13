import { randomUUID } from 'node:crypto';
import { DBOS } from '@dbos-inc/dbos-sdk';
import express from 'express';
import { Pool } from 'pg';
import type { ChildOptions } from '../children';
import { toCommand } from '../lines';
import { listen } from './listen';
import { decideInTransaction } from './rows';
import type { LineCommand } from './tutorial';

const queueName = 'carts';

/**
 * A cart made with DBOS: each command is a durable workflow in a queue that has one partition per cart, so that a cart
 * decides its commands in their order. The workflow has one step, the transaction of plain Postgres.
 */
export async function openDbos({ databaseUrl }: ChildOptions): Promise<{ port: number }> {
  const pool = new Pool({ connectionString: databaseUrl, max: 10 });
  const systemUrl = Object.assign(new URL(databaseUrl), { pathname: '/bench_dbos' }).href;
  DBOS.setConfig({ name: 'bench', systemDatabaseUrl: systemUrl, systemDatabasePoolSize: 10, logLevel: 'error' });
  const decide = DBOS.registerWorkflow(
    (userId: string, commandId: string, line: LineCommand) =>
      DBOS.runStep(() => decideInTransaction(pool, userId, toCommand(userId, line, commandId)), { name: 'decide' }),
    { name: 'decide' },
  );
  await DBOS.launch();
  await DBOS.registerQueue(queueName, { partitionConcurrency: 1, minPollingIntervalMs: 100 });
  const app = express();
  app.use(express.json());
  app.post('/carts/:userId/items', async (req, res) => {
    const { userId } = req.params;
    const commandId = randomUUID();
    const options = { workflowID: commandId, queueName, enqueueOptions: { queuePartitionKey: userId } };
    const handle = await DBOS.startWorkflow(decide, options)(userId, commandId, req.body);
    if (req.get('Prefer') === undefined) res.status(202).json({ commandId });
    else res.json({ outcome: await handle.getResult({ pollingIntervalMs: 50 }) });
  });
  return listen(app);
}
