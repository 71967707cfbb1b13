import type { ActivityInterceptorsFactory } from '@temporalio/worker';

/** Less than the activities' heartbeat timeout (workflows/activity.ts). */
export const heartbeatMs = 1_000;

/**
 * Sends heartbeats while an activity runs: without them, Temporal has another worker run it again. A local activity has
 * none.
 */
export const sendHeartbeats: ActivityInterceptorsFactory = (context) => ({
  inbound: {
    async execute(input, next) {
      if (context.info.isLocal) return next(input);
      const timer = setInterval(() => context.heartbeat(), heartbeatMs);
      try {
        return await next(input);
      } finally {
        clearInterval(timer);
      }
    },
  },
});
