import { Client } from '@temporalio/client';
import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import type { Knex } from 'knex';
import { createActivities } from '../../activities';
import { cartBuildId } from '../contract/workflow';
import type { DeliveryOptions } from '../delivery/left-behind';
import { payloadConverterPath } from './bundle';
import { createPacedSlots, markCartsInUse } from './paced-slots';
import type { ProjectionLag } from './projection-lag';
import { heartbeatMs, sendHeartbeats } from './send-heartbeats';
import { createTaskPace } from './task-pace';

/** The connections and settings of a cart worker. */
export interface CartWorkerOptions extends DeliveryOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly db: Knex;
  readonly workflowBundle: NonNullable<WorkerOptions['workflowBundle']>;
  readonly maxCachedWorkflows?: number;
  readonly lag?: ProjectionLag;
}

/**
 * The SDK interrupts a step of a workflow that takes this long, by default after 5 s. On a machine without a free
 * processor a replay can take as long, and where it is interrupted, Node.js can end with "async hook stack has become
 * corrupted" (https://github.com/nodejs/node/issues/38503). The option is missing from the SDK's types.
 */
const interruption = { isolateExecutionTimeout: '1 minute' };

/** Creates a worker that decides and projects carts. The caller must start it. */
export function createCartWorker({ db, lateAfterMs, lag, ...options }: CartWorkerOptions): Promise<Worker> {
  const client = new Client({ connection: options.connection, namespace: options.namespace });
  const pace = createTaskPace();
  return Worker.create({
    ...options,
    ...interruption,
    activities: createActivities({ client, db }, { lateAfterMs }),
    buildId: cartBuildId,
    dataConverter: { payloadConverterPath },
    interceptors: { activity: [markCartsInUse(pace), sendHeartbeats, ...(lag ? [lag.interceptor] : [])] },
    tuner: {
      // 40 is the SDK's default without a tuner.
      workflowTaskSlotSupplier: createPacedSlots(40, pace),
      // Many activities wait to share one transaction, so they need more slots than Postgres has connections. If the
      // worker that scheduled an activity has a free slot, the activity starts there without the server's task queue.
      activityTaskSlotSupplier: { type: 'fixed-size', numSlots: 500 },
      // One for each workflow task; more, since an attempt that Postgres does not answer keeps its slot for seconds.
      localActivityTaskSlotSupplier: { type: 'fixed-size', numSlots: 200 },
      nexusTaskSlotSupplier: { type: 'fixed-size', numSlots: 1 },
    },
    // By default only two of ten polls are for carts that are in no worker's cache, and new users would wait.
    nonStickyToStickyPollRatio: 0.5,
    // If a worker dies, its carts wait this long before another worker takes them.
    stickyQueueScheduleToStartTimeout: '2500ms',
    // By default the SDK holds heartbeats back for most of their timeout.
    maxHeartbeatThrottleInterval: heartbeatMs,
    // An activity that Postgres does not answer may outlast this. Temporal then starts it again on another worker.
    shutdownGraceTime: '3s',
    shutdownForceTime: '6s',
  });
}
