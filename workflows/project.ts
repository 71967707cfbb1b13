import { ApplicationFailure, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import { type Batch, type CartActivities, divergedFailure, type ProjectionResult } from '../src/contract/activities';
import { activityOptions, answerAtOnce, atOnceOptions, canRunAtOnce, untilAnswered } from './activity';
import { summarise } from './presentation';

const { projectCart } = proxyActivities<CartActivities>(activityOptions);
const { projectAtOnce } = proxyLocalActivities<CartActivities>(atOnceOptions);

/** Projects a batch, and answers when the projection has. */
export type Projection = (batch: Batch, isLone: boolean) => Promise<ProjectionResult>;

/**
 * Begins to project a run's batches. A lone one is projected at once, within the task that decided it. Where Postgres
 * does not answer in time, this batch and the next one go the regular way, in which Temporal keeps them. So does the
 * next one after a run was told where the record ends: the history must have that before the run builds on it.
 * @param isTold whether the run has just been told that.
 */
export function openProjection(isTold: boolean): Projection {
  let regularBatches = isTold ? 1 : 0;
  return async (batch, isLone) => {
    if (isLone && regularBatches === 0 && canRunAtOnce()) {
      const options = { ...atOnceOptions, summary: summarise(batch.decisions) };
      const result = await answerAtOnce(() => projectAtOnce.executeWithOptions(options, [batch]));
      if (result !== undefined) {
        if (result.outcome === 'diverged') regularBatches = 1;
        return result;
      }
      regularBatches = 2;
    }
    if (regularBatches > 0) regularBatches -= 1;
    return project(batch);
  };
}

/** Projects a batch, again and again until the projection has answered. */
async function project(batch: Batch): Promise<ProjectionResult> {
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
