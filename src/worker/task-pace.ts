import { existsSync, readFileSync } from 'node:fs';

/** So far apart a cart's tasks are in the end. Well below the time after which the server gives up on a worker's cache. */
const longestMs = 2_000;
/** It begins with this much, and is doubled or halved each time the machine is looked at. */
const shortestMs = 250;
const sampleMs = 250;
/** Tasks are taken several at once, so that their projections share a transaction. */
const turnMs = 200;
/** From this share of the processors on, the machine is at its end; up to that one, it has some left. Between, all stays. */
const busy = { from: 0.95, upTo: 0.9 };
/**
 * Over how long a cart counts as in use. A cart with one command now and then takes two tasks for it, of its decision and of its
 * projection's end; so long that the tasks of such carts, too, are let through as fast as they come.
 */
const inUseMs = 5_000;
/** As if there were at least so many, so that a few carts wait for their turn only, and many that come at once are noticed. */
const fewestCarts = 100;

/** When a worker takes the next task of a cart that it has in its cache. */
export interface TaskPace {
  /** Notes that this cart is in use. */
  see(workflowId: string): void;
  /** In how many milliseconds the next task should be asked for. Each call counts as one task. */
  next(): number;
}

/**
 * Has a worker whose machine is at its end take each cart's tasks less often, so that the commands which come meanwhile share one
 * decision, one projection and one write: each of those costs about as much as taking a command. As long as a tenth of the
 * processors is left, no task waits; when nothing is left, waiting for one's turn gives way to waiting for more to be done in
 * it. Where other processes use the machine up, carts wait alike.
 * @param now the clock, in milliseconds.
 * @param busyShare which share of the machine's processors was used since it was last asked.
 */
export function createTaskPace(now = () => performance.now(), busyShare = watchProcessors()): TaskPace {
  let waitMs = 0;
  let sampledAt = now();
  let turn = { startsAt: now(), taken: 0 };
  let inUse = { since: now(), carts: new Set<string>(), before: 0 };

  const adapt = (at: number) => {
    if (at - sampledAt < sampleMs) return;
    sampledAt = at;
    const share = busyShare();
    if (share >= busy.from) waitMs = Math.min(longestMs, Math.max(shortestMs, waitMs * 2));
    else if (share <= busy.upTo) waitMs = waitMs > shortestMs ? waitMs / 2 : 0;
  };
  const cartsInUse = (at: number) => {
    if (at - inUse.since >= inUseMs) inUse = { since: at, carts: new Set(), before: inUse.carts.size };
    return Math.max(fewestCarts, inUse.carts.size, inUse.before);
  };

  return {
    see(workflowId) {
      inUse.carts.add(workflowId);
    },
    next() {
      const at = now();
      adapt(at);
      if (at - turn.startsAt >= turnMs) turn = { startsAt: at, taken: 0 };
      else if (turn.taken * waitMs >= turnMs * cartsInUse(at)) turn = { startsAt: turn.startsAt + turnMs, taken: 0 };
      turn.taken += 1;
      return Math.max(0, turn.startsAt - at);
    },
  };
}

const statFile = '/proc/stat';

/** Which share of all processors of this machine was used between two calls. Linux tells; elsewhere it is 0. */
function watchProcessors(): () => number {
  if (!existsSync(statFile)) return () => 0;
  let last = readProcessors();
  return () => {
    const now = readProcessors();
    const [all, free] = [now.all - last.all, now.free - last.free];
    last = now;
    return all > 0 ? 1 - free / all : 0;
  };
}

/** proc_stat(5): user, nice, system, idle, iowait, irq, softirq and steal, in ticks. Who waits for a disk leaves it free. */
function readProcessors() {
  const [total = ''] = readFileSync(statFile, 'utf8').split('\n', 1);
  const ticks = total.trim().split(/\s+/).slice(1, 9).map(Number);
  const [, , , idle = 0, iowait = 0] = ticks;
  return { all: ticks.reduce((sum, value) => sum + value, 0), free: idle + iowait };
}
