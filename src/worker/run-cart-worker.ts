import { Client } from '@temporalio/client';
import type { NativeConnection, Worker } from '@temporalio/worker';
import { connectDatabase } from '../postgres/database';
import { openWorkerConnection, type TemporalNamespace } from '../temporal/connection';
import type { HistorySource } from '../temporal/histories/histories';
import { type CartWorkerOptions, createCartWorker } from './cart-worker';
import { registerSearchAttributes } from './register-search-attributes';

/** A running worker, and its connections. */
export interface RunningCartWorker extends HistorySource {
  readonly worker: Worker;
  /** Waits until the worker has finished its current tasks, then closes its connections. */
  close(): Promise<void>;
}

/** A statement that takes longer fails its attempt, and the activity is tried again. */
const queryTimeoutMs = 8_000;

/** Tasks of earlier builds are replayed with other steps: the server must note with each task which build did it. */
async function assertNotesBuilds(connection: NativeConnection): Promise<void> {
  const { capabilities } = await connection.workflowService.getSystemInfo({});
  if (capabilities?.buildIdBasedVersioning) return;
  throw new Error('This Temporal server does not note the build ids of workers. Use version 1.21 or a later one.');
}

/**
 * Connects a cart worker and runs it. If the worker fails later, the unhandled rejection of its run ends the process.
 * @throws Error if Temporal does not answer or the carts' search attributes cannot be registered.
 */
export async function runCartWorker({
  temporal,
  databaseUrl,
  ...options
}: {
  readonly temporal: TemporalNamespace;
  readonly databaseUrl: string;
} & Pick<
  CartWorkerOptions,
  'taskQueue' | 'workflowBundle' | 'maxCachedWorkflows' | 'lateAfterMs' | 'lag'
>): Promise<RunningCartWorker> {
  const { namespace } = temporal;
  const connection = await openWorkerConnection(temporal);
  await assertNotesBuilds(connection);
  await registerSearchAttributes(connection, namespace);
  const db = connectDatabase(databaseUrl, {
    poolSize: 10,
    name: 'cart-worker',
    prefersIndexes: true,
    queryTimeoutMs,
  });
  const worker = await createCartWorker({ ...options, connection, namespace, db });
  const stopped = worker.run();
  return {
    worker,
    client: new Client({ connection, namespace }),
    db,
    async close() {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await stopped.catch(() => undefined);
      await connection.close();
      await db.destroy();
    },
  };
}
