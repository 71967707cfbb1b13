import { ActivityFailure, ApplicationFailure, proxyActivities, sleep } from '@temporalio/workflow';
import { type Batch, type CartActivities, divergedFailure, type ProjectionResult } from '../src/contract/activities';
import { summarise } from './presentation';

// No maximumAttempts: a cart outlasts any outage of Postgres.
const { projectCart } = proxyActivities<CartActivities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '200ms', maximumInterval: '30s' },
});

/**
 * Projects a batch, again and again until the projection has answered. An activity can also be completed or failed by
 * hand, in the Web UI or with the Temporal CLI: that is no answer.
 */
export async function project(batch: Batch): Promise<ProjectionResult> {
  for (let sent = batch; ; ) {
    try {
      const result: unknown = await projectCart.executeWithOptions({ summary: summarise(sent.decisions) }, [sent]);
      if (isResult(result, sent)) return result ?? { outcome: 'projected' };
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      // The projection answers a batch that says what it follows on, as far as that is known, instead of failing.
      if (isDiverged(error)) sent = { ...sent, after: null };
    }
    await sleep('1s', { summary: 'before the batch is projected again' });
  }
}

/** Batches without `after` are of runs that began when the projection answered nothing. */
const isResult = (result: unknown, { after }: Batch): result is ProjectionResult | undefined | null =>
  result === undefined || result === null
    ? after === undefined
    : ['projected', 'diverged'].includes((result as ProjectionResult).outcome);

const isDiverged = ({ cause }: ActivityFailure): boolean =>
  cause instanceof ApplicationFailure && cause.type === divergedFailure;
