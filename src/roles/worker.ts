import type { Logger } from 'pino';
import { createDeliverySweep } from '../delivery/deliver';
import type { DeliveryOptions } from '../delivery/left-behind';
import { checkDatabase } from '../postgres/database';
import { sweepClosedRuns } from '../temporal/histories/archive-runs';
import type { HistorySource } from '../temporal/histories/histories';
import { bundleCartWorkflow } from '../worker/bundle';
import { repeat } from '../worker/repeat';
import { runCartWorker } from '../worker/run-cart-worker';
import { installRuntime } from '../worker/runtime';
import type { Role, RoleOptions } from './role';

const archiveEveryMs = 3_600_000;
const deliverEveryMs = 15_000;

/**
 * The worker: decides commands, projects decisions into Postgres, delivers what ended runs left behind, and archives
 * closed runs.
 */
export async function openWorker({
  temporal,
  databaseUrl,
  lateAfterMs,
  logger,
}: RoleOptions & DeliveryOptions): Promise<Role> {
  installRuntime(logger);
  const { taskQueue } = temporal;
  const cartWorker = await runCartWorker({
    temporal,
    databaseUrl,
    taskQueue,
    lateAfterMs,
    workflowBundle: await bundleCartWorkflow(),
  });
  const { worker, db } = cartWorker;
  const repeated = [
    repeat(logger, 'the archiving of closed runs', archiveEveryMs, archiveWith(cartWorker, logger)),
    repeat(logger, 'a delivery', deliverEveryMs, deliverWith(cartWorker, taskQueue, logger)),
  ];
  return {
    routers: [],
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

/**
 * The next run of a chain archives the run before it, so this is for the last runs of chains and for runs whose next run
 * failed to do it.
 */
const archiveWith = (source: HistorySource, logger: Logger) => async (signal: AbortSignal) => {
  const archived = await sweepClosedRuns(source, signal);
  if (archived > 0) logger.info({ archived }, 'archived closed runs');
};

/** For carts that nobody touches, and for runs that began before Temporal's list had the previous run's end. */
function deliverWith(source: HistorySource, taskQueue: string, logger: Logger) {
  const sweep = createDeliverySweep(source, taskQueue);
  return async (signal: AbortSignal) => {
    const { userIds, commands } = await sweep(signal);
    if (commands > 0) logger.info({ carts: userIds.size, commands }, 'delivered what ended runs left behind');
  };
}
