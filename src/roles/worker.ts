import { checkDatabase } from '../postgres/database';
import { sweepHourly } from '../temporal/histories/archive-runs';
import { bundleCartWorkflow } from '../worker/bundle';
import { runCartWorker } from '../worker/run-cart-worker';
import { installRuntime } from '../worker/runtime';
import type { Role, RoleOptions } from './role';

/** The worker: decides commands, projects decisions into Postgres, and archives closed runs. */
export async function openWorker({ temporal, databaseUrl, logger }: RoleOptions): Promise<Role> {
  installRuntime(logger);
  const { taskQueue } = temporal;
  const cartWorker = await runCartWorker({
    temporal,
    databaseUrl,
    taskQueue,
    workflowBundle: await bundleCartWorkflow(),
  });
  const { worker, db } = cartWorker;
  const sweeper = sweepHourly(cartWorker, logger);
  return {
    routers: [],
    checks: {
      worker: async () => {
        if (worker.getState() !== 'RUNNING') throw new Error(`the worker is ${worker.getState().toLowerCase()}`);
      },
      postgres: () => checkDatabase(db),
    },
    async close() {
      await Promise.all([sweeper.close(), cartWorker.close()]);
    },
  };
}
