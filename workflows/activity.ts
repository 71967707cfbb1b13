import {
  ActivityFailure,
  type ActivityOptions,
  type LocalActivityOptions,
  sleep,
  TemporalFailure,
  workflowInfo,
} from '@temporalio/workflow';
import { atOnceBuild, currentBuild } from './build';

/**
 * Without `maximumAttempts`: a cart outlasts any outage of Postgres. A worker sends heartbeats while an activity runs,
 * so that one that was killed is noticed soon, and one that has much to do is not interrupted.
 */
export const activityOptions: ActivityOptions = {
  startToCloseTimeout: '1m',
  heartbeatTimeout: '3s',
  retry: { initialInterval: '200ms', maximumInterval: '8s' },
};

/**
 * A local activity runs within the task that starts it, which saves half of a lone command's events. Temporal holds
 * signals back while a task is open, so it has one short attempt, the time in the worker's queue included.
 */
export const atOnceOptions: LocalActivityOptions = { scheduleToCloseTimeout: '200ms', retry: { maximumAttempts: 1 } };

/** Whether this task may run local activities. Tasks of workers that knew none are replayed without. */
export const canRunAtOnce = (): boolean => currentBuild() >= atOnceBuild;

/**
 * Runs a local activity once.
 * @returns undefined where it did not answer in time.
 * @throws Error, which fails the task, where Temporal has given the task again meanwhile: the run may lack signals. The
 * worker then forgets it, and replays it.
 */
export async function answerAtOnce<T>(run: () => Promise<T>): Promise<T | undefined> {
  const { historyLength, unsafe } = workflowInfo();
  const { isReplaying } = unsafe;
  const answer = await answerInTime(run);
  // The length is that of the task. Only the worker that runs the activity can have lost signals between two tasks.
  if (!isReplaying && workflowInfo().historyLength !== historyLength) {
    throw new Error('Temporal has given the task again.');
  }
  return answer;
}

async function answerInTime<T>(run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    // The SDK throws what a local activity threw, and not an ActivityFailure around it.
    if (!(error instanceof TemporalFailure)) throw error;
    return undefined;
  }
}

/**
 * Runs an activity again and again until it has answered. An activity can also be completed or failed by hand, in the
 * Web UI or with the Temporal CLI: that is no answer, and must fail neither the run nor its tasks.
 * @param run starts the activity.
 * @param isAnswer whether a result has the form of an answer.
 * @param onFailure is called with the cause of each failure.
 */
export async function untilAnswered<T>(
  run: () => Promise<unknown>,
  isAnswer: (result: unknown) => result is T,
  onFailure: (cause: unknown) => void = () => {},
): Promise<T> {
  for (;;) {
    try {
      const result = await run();
      if (isAnswer(result)) return result;
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      onFailure(error.cause);
    }
    await sleep('1s', { summary: 'before the activity is run again' });
  }
}
