import { hostname } from 'node:os';
import type { Knex } from 'knex';
import type { Logger } from 'pino';
import type { Config } from '../config';
import { createDeliverySweep } from '../delivery/deliver';
import type { DeliveryOptions } from '../delivery/left-behind';
import { createMergeSweep } from '../delivery/merge';
import { endUnreadableRuns } from '../delivery/unreadable-runs';
import { readPrivateKey } from '../heads/keys';
import { writeHeadsInto } from '../heads/write-heads';
import { chainArchives } from '../postgres/archive-chain';
import { checkDatabase } from '../postgres/database';
import { reportProcess } from '../postgres/processes';
import { upgradeChains } from '../postgres/projection/upgrade-chains';
import { sweepClosedRuns } from '../temporal/histories/archive-runs';
import type { HistorySource } from '../temporal/histories/histories';
import { loadCartWorkflow } from '../worker/bundle';
import { measureLag, type ProjectionLag } from '../worker/projection-lag';
import { repeat } from '../worker/repeat';
import { runCartWorker } from '../worker/run-cart-worker';
import { installRuntime } from '../worker/runtime';
import type { Role, RoleOptions } from './role';

const archiveEveryMs = 3_600_000;
const upgradeEveryMs = 3_600_000;
const deliverEveryMs = 15_000;
const reportEveryMs = 10_000;

/** What only a worker needs. */
export interface WorkerOptions extends DeliveryOptions {
  /** How many carts the worker keeps in memory; without it, as many as the SDK thinks fit into the heap. */
  readonly cachedCarts?: number | undefined;
  /** Whether and how often the worker writes signed lists of heads. */
  readonly heads?: Config['heads'];
}

/**
 * The worker: decides commands, projects decisions into Postgres, delivers what ended runs left behind, and archives
 * closed runs.
 */
export async function openWorker({
  temporal,
  databaseUrl,
  lateAfterMs,
  cachedCarts,
  heads,
  logger,
}: RoleOptions & WorkerOptions): Promise<Role> {
  installRuntime(logger);
  const privateKey = heads?.folder && (await readPrivateKey(heads));
  const { taskQueue } = temporal;
  const lag = measureLag();
  const cartWorker = await runCartWorker({
    temporal,
    databaseUrl,
    taskQueue,
    lateAfterMs,
    ...(cachedCarts === undefined ? {} : { maxCachedWorkflows: cachedCarts }),
    workflowBundle: await loadCartWorkflow(),
    lag,
  });
  const { worker, db } = cartWorker;
  const repeated = [
    repeat(logger, 'the upgrade of hash chains', upgradeEveryMs, upgradeWith(db, logger)),
    repeat(logger, 'the archiving of closed runs', archiveEveryMs, archiveWith(cartWorker, logger)),
    repeat(logger, 'a delivery', deliverEveryMs, deliverWith(cartWorker, taskQueue, logger)),
    repeat(logger, 'a report', reportEveryMs, reportWith(db, lag)),
    ...(privateKey
      ? [
          repeat(
            logger,
            'a list of heads',
            heads.intervalMs,
            async () => void (await writeHeadsInto(db, privateKey, heads.folder!)),
          ),
        ]
      : []),
  ];
  return {
    routes: [],
    checks: {
      worker: async () => {
        if (worker.getState() !== 'RUNNING') throw new Error(`the worker is ${worker.getState().toLowerCase()}`);
      },
      postgres: () => checkDatabase(db),
    },
    async close() {
      await Promise.all([...repeated.map((each) => each.close()), cartWorker.close()]);
    },
  };
}

/** For the page of the operators. */
function reportWith(db: Knex, lag: ProjectionLag) {
  const startedAt = new Date();
  const name = `worker ${hostname()} ${process.pid} ${startedAt.toISOString()}`;
  return () => reportProcess(db, { name, kind: 'worker', startedAt, state: lag.take() });
}

/** For logs that are older than the chain over decisions, and while workers of such a version run beside this one. */
const upgradeWith = (db: Knex, logger: Logger) => async (signal: AbortSignal) => {
  const { carts, broken } = await upgradeChains(db, signal);
  const archives = await chainArchives(db, signal);
  if (carts + archives > 0)
    logger.info({ carts, archives }, 'gave hashes to decisions and archived runs that had none');
  if (broken.length > 0) logger.error({ broken }, 'the logs of these carts were changed: the carts are parked');
};

/**
 * The next run of a chain archives the run before it, so this is for the last runs of chains, and for runs whose next
 * run failed to do it.
 */
const archiveWith = (source: HistorySource, logger: Logger) => async (signal: AbortSignal) => {
  const archived = await sweepClosedRuns(source, signal);
  if (archived > 0) logger.info({ archived }, 'archived closed runs');
};

/** For carts that nobody touches, and for runs that began before Temporal's list had the end of the run before. */
function deliverWith(source: HistorySource, taskQueue: string, logger: Logger) {
  const sweep = createDeliverySweep(source, taskQueue);
  const merge = createMergeSweep(source, taskQueue);
  return async (signal: AbortSignal) => {
    const ended = await endUnreadableRuns(source, signal);
    if (ended.length > 0) logger.warn({ runIds: ended }, 'ended runs that cannot be replayed since they were paused');
    const { userIds, commands } = await sweep(signal);
    if (commands > 0) logger.info({ carts: userIds.size, commands }, 'delivered what ended runs left behind');
    const merged = await merge(signal);
    if (merged > 0) logger.info({ carts: merged }, 'sent what guests had handed over');
  };
}
