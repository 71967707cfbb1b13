import { Client } from '@temporalio/client';
import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import type { Knex } from 'knex';
import { createActivities } from '../../activities';
import { payloadConverterPath } from './bundle';
import { createPacedSlots, markCartsInUse } from './paced-slots';
import { createTaskPace } from './task-pace';

/** How a cart worker is created. */
export interface CartWorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly db: Knex;
  readonly workflowBundle: NonNullable<WorkerOptions['workflowBundle']>;
  readonly maxCachedWorkflows?: number;
}

/** Creates a worker that decides and projects carts. It does not run yet. */
export function createCartWorker({ db, ...options }: CartWorkerOptions): Promise<Worker> {
  const client = new Client({ connection: options.connection, namespace: options.namespace });
  const pace = createTaskPace();
  return Worker.create({
    ...options,
    activities: createActivities({ client, db }),
    dataConverter: { payloadConverterPath },
    interceptors: { activity: [markCartsInUse(pace)] },
    tuner: {
      // As many as the SDK has without a tuner.
      workflowTaskSlotSupplier: createPacedSlots(40, pace),
      // Many wait for their turn in one transaction, so the connections to Postgres do not limit them. A task that finds a
      // slot on the worker that scheduled it is not sent through the server's queues.
      activityTaskSlotSupplier: { type: 'fixed-size', numSlots: 500 },
      localActivityTaskSlotSupplier: { type: 'fixed-size', numSlots: 1 },
      nexusTaskSlotSupplier: { type: 'fixed-size', numSlots: 1 },
    },
    // Of ten polls the SDK has two ask for carts that are in no cache; those of new users would wait for them.
    nonStickyToStickyPollRatio: 0.5,
    // A cart whose worker died waits this long before another worker takes it.
    stickyQueueScheduleToStartTimeout: '3s',
    shutdownGraceTime: '5s',
    shutdownForceTime: '10s',
  });
}
