import { ActivityFailure, type ActivityOptions, sleep } from '@temporalio/workflow';

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
