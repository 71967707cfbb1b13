import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { Batch } from '../contract/activities';
import type { WorkerState } from '../postgres/processes';

/** Measures how long decisions wait until they are projected. */
export interface ProjectionLag {
  readonly interceptor: ActivityInterceptorsFactory;
  /** The figures since the last call. */
  take(): WorkerState;
}

const projections: readonly string[] = ['projectCart', 'projectAtOnce'];

export function measureLag(now = () => Date.now()): ProjectionLag {
  let lags: number[] = [];
  return {
    interceptor: ({ info }) => ({
      inbound: {
        async execute(input, next) {
          const result = await next(input);
          const [batch] = input.args as [Batch | undefined];
          const decidedAt = batch?.decisions?.[0]?.decidedAt;
          if (projections.includes(info.activityType) && decidedAt !== undefined)
            lags.push(now() - Date.parse(decidedAt));
          return result;
        },
      },
    }),
    take() {
      const sorted = lags.sort((one, other) => one - other);
      lags = [];
      return {
        projected: sorted.length,
        medianLagMs: sorted[Math.floor(sorted.length / 2)] ?? 0,
        maxLagMs: sorted.at(-1) ?? 0,
      };
    },
  };
}
