import { Client } from '@temporalio/client';
import {
  bundleWorkflowCode,
  DefaultLogger,
  type NativeConnection,
  Runtime,
  Worker,
  type WorkerOptions,
  type WorkflowBundle,
} from '@temporalio/worker';
import type { Knex } from 'knex';
import type { Logger } from 'pino';
import { createActivities } from '../../activities';
import { createPacedSlots, noteCartsInUse } from './paced-slots';
import { createTaskPace } from './task-pace';

/** Has the SDK log through our logger, and leave signals to us. Call it once, before anything else of the worker's. */
export function installRuntime(logger: Logger): void {
  const bridge = new DefaultLogger('WARN', ({ level, message, meta }) => {
    logger[level === 'ERROR' ? 'error' : 'warn']({ ...meta }, message);
  });
  Runtime.install({ logger: bridge, shutdownSignals: [], telemetryOptions: { logging: { forward: {} } } });
}

/** The workflow code as the worker runs it; made once, in some seconds. */
export function bundleCartWorkflow(): Promise<WorkflowBundle> {
  return bundleWorkflowCode({
    workflowsPath: require.resolve('../../workflows/cart'),
    payloadConverterPath: require.resolve('./payload-converter'),
    logger: { trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error, log() {} },
  });
}

/** A worker that decides and projects carts. */
export function createCartWorker(options: {
  connection: NativeConnection;
  namespace: string;
  taskQueue: string;
  db: Knex;
  workflowBundle: NonNullable<WorkerOptions['workflowBundle']>;
  maxCachedWorkflows?: number;
}): Promise<Worker> {
  const { db, ...rest } = options;
  const client = new Client({ connection: options.connection, namespace: options.namespace });
  const pace = createTaskPace();
  return Worker.create({
    ...rest,
    activities: createActivities({ client, db }),
    dataConverter: { payloadConverterPath: require.resolve('./payload-converter') },
    interceptors: { activity: [noteCartsInUse(pace)] },
    tuner: {
      // As many as the SDK has without a tuner.
      workflowTaskSlotSupplier: createPacedSlots(40, pace),
      // Many wait for their turn in one transaction, so these are not bound by the connections to Postgres. A task that finds a
      // slot on the worker that scheduled it is not sent through the server's queues.
      activityTaskSlotSupplier: { type: 'fixed-size', numSlots: 500 },
      localActivityTaskSlotSupplier: { type: 'fixed-size', numSlots: 1 },
      nexusTaskSlotSupplier: { type: 'fixed-size', numSlots: 1 },
    },
    // Of ten polls the SDK has two ask for carts that are in no cache; those of new users would wait for them.
    nonStickyToStickyPollRatio: 0.5,
    // A cart whose worker died waits this long before another one takes over.
    stickyQueueScheduleToStartTimeout: '3s',
    shutdownGraceTime: '5s',
    shutdownForceTime: '10s',
  });
}
