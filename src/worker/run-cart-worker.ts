import { Client } from '@temporalio/client';
import type { Worker } from '@temporalio/worker';
import { connectDatabase } from '../postgres/database';
import { openWorkerConnection, type TemporalNamespace } from '../temporal/connection';
import type { HistorySource } from '../temporal/histories/histories';
import { type CartWorkerOptions, createCartWorker } from './cart-worker';
import { registerSearchAttributes } from './register-search-attributes';

/** A running worker, and what it works with. */
export interface RunningCartWorker extends HistorySource {
  readonly worker: Worker;
  /** Ends once the worker has finished what is under way and its connections are closed. */
  close(): Promise<void>;
}

/** Below the activities' timeout of 10 s, so that an attempt has ended when the next one begins. */
const patienceMs = 8_000;

/**
 * Connects a cart worker and runs it. A worker that fails for good leaves an unhandled rejection, which ends the process.
 * @throws Error where Temporal does not answer or lacks the carts' search attributes.
 */
export async function runCartWorker({
  temporal,
  databaseUrl,
  ...options
}: {
  readonly temporal: TemporalNamespace;
  readonly databaseUrl: string;
} & Pick<CartWorkerOptions, 'taskQueue' | 'workflowBundle' | 'maxCachedWorkflows'>): Promise<RunningCartWorker> {
  const { namespace } = temporal;
  const connection = await openWorkerConnection(temporal);
  await registerSearchAttributes(connection, namespace);
  const db = connectDatabase(databaseUrl, { poolSize: 10, name: 'cart-worker', byKey: true, patienceMs });
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
