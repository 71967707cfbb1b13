import { ApplicationFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { lostTaskFailure } from '../contract/activities';
import { cartTaskTimeoutMs } from '../contract/workflow';

/** Temporal gives a task again once it has timed out. A little less, since the age of a task is an estimate. */
const lostAfterMs = cartTaskTimeoutMs - 100;
/** A first task that seems as old as this says that the clocks differ. */
const clockDifferenceMs = 60_000;
/** For how long an estimate of the difference between the clocks is used: they drift. */
const estimateMs = 60_000;
/** So many tasks in a row cannot be lost: the clock of Temporal was set. */
const lostInARow = 10;

/**
 * Fails the local activities of tasks that Temporal has probably given again meanwhile, as where the worker stood still
 * or took long to replay the run. The workflow then fails its task, and the worker forgets the run. Otherwise, where
 * the next task reaches the worker while a local activity is under way, the SDK (1.24) adds it to the run as it is, and
 * takes new signals for events that the run knows: the run would never receive them.
 *
 * The last argument of a local activity is the time of its task by Temporal's clock.
 */
export function failLostTasks(): ActivityInterceptorsFactory {
  const isLost = createLostTaskCheck();
  return ({ info }) => ({
    inbound: {
      async execute(input, next) {
        const taskAt = input.args.at(-1);
        if (!info.isLocal || typeof taskAt !== 'number') return next(input);
        const result = await next(input).catch((error: unknown) => {
          throw isLost(taskAt) ? lostTask() : error;
        });
        if (isLost(taskAt)) throw lostTask();
        return result;
      },
    },
  });
}

const lostTask = () =>
  ApplicationFailure.nonRetryable('Temporal has probably given this task again: the worker was slow.', lostTaskFailure);

/**
 * Makes a function that returns whether a task that began then, by Temporal's clock, has timed out. It learns how the
 * clocks differ from the tasks that took the least time to get here; at first it takes them for equal.
 * @param now milliseconds by a clock that nobody sets.
 */
export function createLostTaskCheck(now = () => performance.timeOrigin + performance.now()) {
  let [least, leastBefore, since] = [0, 0, now()];
  let isFirst = true;
  let lost = 0;
  return (taskAt: number): boolean => {
    const delay = now() - taskAt;
    const isDifference = isFirst && Math.abs(delay) > clockDifferenceMs;
    if (isDifference || lost >= lostInARow) [least, leastBefore] = [delay, delay];
    else if (now() - since > estimateMs) [least, leastBefore, since] = [delay, least, now()];
    const isLost = delay - Math.min(delay, least, leastBefore) > lostAfterMs;
    [least, leastBefore] = isFirst ? [delay, delay] : [Math.min(least, delay), leastBefore];
    isFirst = false;
    lost = isLost ? lost + 1 : 0;
    return isLost;
  };
}
