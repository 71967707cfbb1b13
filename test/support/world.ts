import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { Knex } from 'knex';
import pino from 'pino';
import { allowEverybody } from '../../src/access/authorize';
import { cartWorkflowId } from '../../src/contract/ids';
import { listen } from '../../src/http/app';
import type { Origins } from '../../src/http/origins';
import type { Authorize } from '../../src/http/route';
import { createCatalogue } from '../../src/postgres/catalogue';
import { openCommandApi } from '../../src/roles/command-api';
import { openQueryApi } from '../../src/roles/query-api';
import type { Role } from '../../src/roles/role';
import { appOf } from '../../src/roles/serve';
import { openClient } from '../../src/temporal/connection';
import { type RunningCartWorker, runCartWorker } from '../../src/worker/run-cart-worker';
import { asMemberOf, createDatabase } from './database';
import { createNamespace } from './namespace';
import { captureSdkLog, expectNoSdkFailure } from './sdk-log';
import { type Answer, readAnswer } from './serve';
import { watchSockets } from './sockets';

/**
 * The whole system on real servers: its own database and namespace, both APIs on a free port, and a worker. Each
 * connects to Postgres with its own login.
 */
export interface World {
  readonly db: Knex;
  readonly databaseUrl: string;
  readonly client: Client;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly url: string;
  request(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Sends a signal to the cart without the API. */
  signal(userId: string, name: string, ...args: unknown[]): Promise<void>;
  startWorker(): Promise<void>;
  stopWorker(): Promise<void>;
  /** Stops serving as a process does on a signal. Resolves when all connections are closed. */
  stopServing(): Promise<void>;
  /** @throws Error naming a connection or a socket that stays open, or a workflow task that failed unexpectedly. */
  close(): Promise<void>;
}

export const products = [
  { productId: 'pen', name: 'Pen', unitPrice: 250, currency: 'EUR', available: true },
  { productId: 'ink', name: 'Ink, 30 ml', unitPrice: 1_190, currency: 'EUR', available: true },
  { productId: 'pad', name: 'Pad', unitPrice: 399, currency: 'EUR', maxQuantity: 10, available: true },
  { productId: 'cap', name: 'Cap', unitPrice: 2_000, currency: 'USD', available: true },
  { productId: 'gone', name: 'Gone', unitPrice: 100, currency: 'EUR', available: false },
];

/** A user id that no other test uses. */
export const newUser = (name = 'user'): string => `${name}-${randomUUID()}`;

interface WorldOptions {
  /** By default everybody may do everything. */
  readonly authorize?: Authorize;
  /** How browsers may reach it. */
  readonly origins?: Origins;
  /** What is served beside the two APIs. */
  readonly roles?: readonly Role[];
  readonly maxCachedWorkflows?: number;
  /** How old a command may be that an ended run left behind. */
  readonly lateAfterMs?: number;
  readonly temporalAddress?: string;
  /** The address at which the APIs connect to Temporal, if it differs from the worker's. */
  readonly apiTemporalAddress?: string;
  /** Maps the URL of the world's database to the URL that APIs and worker use. */
  readonly mapDatabaseUrl?: (databaseUrl: string) => Promise<string>;
}

export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const sockets = watchSockets();
  const database = await createDatabase();
  const catalogue = createCatalogue(database.db);
  for (const product of products) await catalogue.put(product);
  const taskQueue = `carts-${randomUUID()}`;
  const address = options.temporalAddress ?? process.env.TEST_TEMPORAL_ADDRESS!;
  const namespace = await createNamespace(address);
  const temporal = { connection: { address }, namespace, taskQueue };
  const apiTemporal = { ...temporal, connection: { address: options.apiTemporalAddress ?? address } };
  const logger = pino({ level: 'silent' });
  const databaseUrl = (await options.mapDatabaseUrl?.(database.url)) ?? database.url;
  const stopping = new AbortController();
  const roleOptions = { temporal: apiTemporal, logger, stopping: stopping.signal };
  const roles = [
    await openCommandApi({ ...roleOptions, databaseUrl: asMemberOf('cart_sender', databaseUrl) }),
    await openQueryApi({ ...roleOptions, databaseUrl: asMemberOf('cart_reader', databaseUrl) }),
  ];
  const server = await listen(
    appOf([...roles, ...(options.roles ?? [])], {
      authorize: options.authorize ?? allowEverybody,
      logger,
      stopping: stopping.signal,
      ...(options.origins === undefined ? {} : { origins: options.origins }),
    }),
    '127.0.0.1',
    0,
  );
  const url = `http://127.0.0.1:${server.port}`;
  const { client, close: closeClient } = openClient(temporal);
  const worker = workerSwitch({
    temporal,
    databaseUrl: asMemberOf('cart_writer', databaseUrl),
    taskQueue,
    lateAfterMs: options.lateAfterMs ?? 3_600_000,
    workflowBundle: { codePath: process.env.TEST_WORKFLOW_BUNDLE! },
    ...(options.maxCachedWorkflows === undefined ? {} : { maxCachedWorkflows: options.maxCachedWorkflows }),
  });
  await worker.start();
  const stopServing = () => {
    stopping.abort();
    return server.close();
  };
  return {
    db: database.db,
    databaseUrl: database.url,
    client,
    namespace,
    taskQueue,
    url,
    request: (method, path, body, headers = {}) => request(url, method, path, body, headers),
    async signal(userId, name, ...args) {
      await client.workflow.signalWithStart('cartWorkflow', {
        workflowId: cartWorkflowId(userId),
        taskQueue,
        signal: name,
        signalArgs: args,
      });
    },
    startWorker: worker.start,
    stopWorker: worker.stop,
    stopServing,
    async close() {
      await worker.stop();
      await stopServing();
      await Promise.all(roles.map((role) => role.close()));
      await closeClient();
      await database.drop();
      await sockets.untilClosed();
      expectNoSdkFailure();
    },
  };
}

async function request(
  url: string,
  method: string,
  path: string,
  body: unknown,
  headers: Record<string, string>,
): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return readAnswer(response);
}

function workerSwitch(options: Parameters<typeof runCartWorker>[0]) {
  let running: RunningCartWorker | undefined;
  return {
    async start() {
      captureSdkLog();
      running = await runCartWorker(options);
    },
    async stop() {
      await running?.close();
      running = undefined;
    },
  };
}
