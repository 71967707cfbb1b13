import { watchProcessors } from './processors';

/**
 * The longest wait between two tasks of one cart. It must stay below `stickyQueueScheduleToStartTimeout`, because the
 * server then offers the task to all workers, most of which do not have the cart in their cache.
 */
const longestWaitMs = 2_000;
/** The first wait. Each sample of the processors doubles the wait, halves it, or leaves it as it is. */
const shortestWaitMs = 250;
const sampleMs = 250;
/** A worker takes the tasks of a turn at the same time, so that their projections share a transaction. */
const turnMs = 200;
/** If at least this share of the processors is used, the wait grows. */
const overloadedShare = 0.95;
/** If at most this share of the processors is used, the wait shrinks. */
const relaxedShare = 0.9;
/**
 * How long a cart counts as in use after its last activity. A command takes two tasks where its projection is a regular
 * activity. During this time many carts with one command each are counted, so they do not wait.
 */
const inUseMs = 5_000;
/**
 * The pace assumes at least this number of carts. Otherwise a few carts would wait longer than one turn, and a worker
 * would notice too late that many carts have become active.
 */
const fewestCarts = 100;

/** When a worker takes the next task of a cart in its cache. */
export interface TaskPace {
  /** Counts this cart as in use. */
  markInUse(workflowId: string): void;
  /** Counts one more task. @returns in how many milliseconds the worker should poll for it. */
  scheduleTask(): number;
}

/**
 * Each cart in use may take one task per `waitMs`. All carts together may then take `turnMs * cartsInUse / waitMs`
 * tasks per turn. The comparison is written without a division, because `waitMs` can be 0: then a turn is never full.
 */
const isTurnFull = (tasksTaken: number, waitMs: number, cartsInUse: number): boolean =>
  tasksTaken * waitMs >= turnMs * cartsInUse;

/**
 * Slows down the workflow tasks of a worker whose machine is overloaded. Each cart then takes its tasks less often, and
 * the commands that arrive between two tasks share one decision, one projection and one write. Each of these costs
 * about as much as receiving a command. No task waits while a tenth of the processors is free.
 * @param now the clock, in milliseconds.
 * @param usedShare the share of the processors that was used since the last call.
 */
export function createTaskPace(now = () => performance.now(), usedShare = watchProcessors()): TaskPace {
  let waitMs = 0;
  let sampledAt = now();
  let turn = { startsAt: now(), tasksTaken: 0 };
  let inUse = { since: now(), carts: new Set<string>(), previousCount: 0 };

  const adaptWait = (at: number) => {
    if (at - sampledAt < sampleMs) return;
    sampledAt = at;
    const share = usedShare();
    if (share >= overloadedShare) waitMs = Math.min(longestWaitMs, Math.max(shortestWaitMs, waitMs * 2));
    else if (share <= relaxedShare) waitMs = waitMs > shortestWaitMs ? waitMs / 2 : 0;
  };
  const countCartsInUse = (at: number) => {
    if (at - inUse.since >= inUseMs) inUse = { since: at, carts: new Set(), previousCount: inUse.carts.size };
    return Math.max(fewestCarts, inUse.carts.size, inUse.previousCount);
  };

  return {
    markInUse(workflowId) {
      inUse.carts.add(workflowId);
    },
    scheduleTask() {
      const at = now();
      adaptWait(at);
      if (at - turn.startsAt >= turnMs) turn = { startsAt: at, tasksTaken: 0 };
      else if (isTurnFull(turn.tasksTaken, waitMs, countCartsInUse(at))) {
        turn = { startsAt: turn.startsAt + turnMs, tasksTaken: 0 };
      }
      turn.tasksTaken += 1;
      return Math.max(0, turn.startsAt - at);
    },
  };
}
