import { ApplicationFailure, proxyActivities } from '@temporalio/workflow';
import { type Batch, type CartActivities, divergedFailure, type ProjectionResult } from '../src/contract/activities';
import { activityOptions, untilAnswered } from './activity';
import { summarise } from './presentation';

const { projectCart } = proxyActivities<CartActivities>(activityOptions);

/** Projects a batch, again and again until the projection has answered. */
export async function project(batch: Batch): Promise<ProjectionResult> {
  let sent = batch;
  const result = await untilAnswered(
    () => projectCart.executeWithOptions({ summary: summarise(sent.decisions) }, [sent]),
    (answer): answer is ProjectionResult | undefined | null => isResult(answer, sent),
    (cause) => {
      // The projection answers a batch that says what it follows on, as far as that is known, instead of failing.
      if (cause instanceof ApplicationFailure && cause.type === divergedFailure) sent = { ...sent, after: null };
    },
  );
  return result ?? { outcome: 'projected' };
}

/** Batches without `after` are of runs that began when the projection answered nothing. */
const isResult = (result: unknown, { after }: Batch): result is ProjectionResult | undefined | null =>
  result === undefined || result === null
    ? after === undefined
    : ['projected', 'diverged'].includes((result as ProjectionResult).outcome);
