import { Client } from '@temporalio/client';
import type { Router } from 'express';
import type { Logger } from 'pino';
import { cartCommandRoutes } from './commands/carts';
import { productCommandRoutes } from './commands/products';
import type { Config } from './config';
import type { HealthChecks, HealthDetails } from './http/health';
import { type Announcements, listenForProjections } from './postgres/announcements';
import { awaitProjection } from './postgres/await-projection';
import { readCartAt } from './postgres/cart-at';
import { createCatalogue } from './postgres/catalogue';
import { createUnusedCheck } from './postgres/checkpoint';
import { connectDatabase } from './postgres/database';
import { currentForks } from './postgres/forks';
import { migrate } from './postgres/migrate';
import { findOutcome } from './postgres/outcomes';
import { cartQueryRoutes } from './queries/carts';
import { productQueryRoutes } from './queries/products';
import { createCartReader } from './queries/read-cart';
import { reportRoutes } from './queries/reports';
import { createCommandSender } from './temporal/command-sender';
import { openClient, openWorkerConnection } from './temporal/connection';
import { cartWorkflowId } from './temporal/ids';
import { ensureSearchAttributes } from './temporal/search-attributes';
import { sweepHourly } from './temporal/sweeper';
import { bundleCartWorkflow, createCartWorker, installRuntime } from './temporal/worker';

/** One part of the system, running: what it serves over HTTP, how its health is told, how it is closed. */
export interface Role {
  readonly routers: readonly Router[];
  readonly checks: HealthChecks;
  readonly details?: HealthDetails;
  close(): Promise<void>;
}

export interface RoleOptions {
  readonly temporal: Config['temporal'];
  readonly databaseUrl: string;
  /** Where Temporal's Web UI is, if anywhere; the timeline then links to the runs. */
  readonly webUiUrl?: string | undefined;
  readonly logger: Logger;
}

/** HTTP → command → signal. Needs Temporal; without Postgres it goes on, but for products it has not seen and for waits. */
export async function openCommandApi({ temporal, databaseUrl, logger }: RoleOptions): Promise<Role> {
  const db = connectDatabase(databaseUrl, { poolSize: 10, name: 'cart-commands', patienceMs: 1_500 });
  const announcements = listenForProjections(databaseUrl, logger);
  const { client, check, close } = openClient(temporal);
  const catalogue = createCatalogue(db);
  const side = {
    sendCommand: createCommandSender(client, temporal.taskQueue, createUnusedCheck(db)),
    catalogue,
    findOutcome: (userId: string, commandId: string) => findOutcome(db, userId, commandId),
    awaitOutcome: (userId: string, commandId: string, seconds: number) =>
      awaitProjection(announcements, userId, seconds, () => findOutcome(db, userId, commandId)),
    readCart: createCartReader(db),
    readCartAt: (userId: string, version: number) => readCartAt(db, userId, version),
    logger,
  };
  return {
    routers: [cartCommandRoutes(side), productCommandRoutes(catalogue)],
    checks: { temporal: check },
    async close() {
      await Promise.all([announcements.close(), close(), db.destroy()]);
    },
  };
}

/** HTTP ← SQL. Needs Postgres alone. */
export async function openQueryApi({ temporal, databaseUrl, webUiUrl, logger }: RoleOptions): Promise<Role> {
  const db = connectDatabase(databaseUrl, { poolSize: 10, readOnly: true, name: 'cart-queries' });
  const announcements: Announcements = listenForProjections(databaseUrl, logger);
  const workflows = `${webUiUrl}/namespaces/${temporal.namespace}/workflows`;
  const runLink = webUiUrl
    ? (userId: string, runId: string) => `${workflows}/${encodeURIComponent(cartWorkflowId(userId))}/${runId}/history`
    : undefined;
  return {
    routers: [cartQueryRoutes(db, announcements, { runLink }), productQueryRoutes(db), reportRoutes(db)],
    checks: { postgres: async () => db.raw('select 1') },
    details: { forks: () => currentForks(db) },
    async close() {
      await Promise.all([announcements.close(), db.destroy()]);
    },
  };
}

/** Temporal → decisions → Postgres. A worker that fails for good rejects unhandled, which ends the process. */
export async function openWorker({ temporal, databaseUrl, logger }: RoleOptions): Promise<Role> {
  installRuntime(logger);
  const db = connectDatabase(databaseUrl, {
    poolSize: 10,
    name: 'cart-worker',
    byKey: true,
    // Below the activities' 10 s, so that an attempt has ended when the next one begins.
    patienceMs: 8_000,
  });
  const [connection, workflowBundle] = await Promise.all([openWorkerConnection(temporal), bundleCartWorkflow()]);
  const { namespace, taskQueue } = temporal;
  await ensureSearchAttributes(connection, namespace);
  const worker = await createCartWorker({ connection, namespace, taskQueue, db, workflowBundle });
  const stopped = worker.run();
  const sweeper = sweepHourly({ client: new Client({ connection, namespace }), db }, logger);
  return {
    routers: [],
    checks: {
      worker: async () => {
        if (worker.getState() !== 'RUNNING') throw new Error(`the worker is ${worker.getState().toLowerCase()}`);
      },
      postgres: async () => db.raw('select 1'),
    },
    async close() {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await sweeper.close();
      await stopped.catch(() => undefined);
      await connection.close();
      await db.destroy();
    },
  };
}

/** Brings the schema up to date; every role calls it before it opens. */
export async function migrateDatabase(databaseUrl: string): Promise<void> {
  const db = connectDatabase(databaseUrl, { poolSize: 2, name: 'cart-migrations', patienceMs: 600_000 });
  try {
    await migrate(db);
  } finally {
    await db.destroy();
  }
}

/** @throws Error where no database is configured: a role by itself embeds none. */
export function requireDatabaseUrl({ databaseUrl }: Config): string {
  if (databaseUrl !== undefined) return databaseUrl;
  throw new Error(
    'DATABASE_URL is not set. Set it to the Postgres of the carts, or use `npm start`, which brings its own.',
  );
}
