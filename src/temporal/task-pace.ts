import { cpus } from 'node:os';

/** Between two tasks of a cart there is at most this much. */
const longestMs = 2_000;
/** It begins with this much, and is doubled or halved each time the machine is looked at. */
const shortestMs = 250;
const sampleMs = 250;
/** Tasks are taken several at once, so that their projections share a transaction. */
const turnMs = 200;
/** From this share of the processors on, the machine is at its end; up to that one, it has some left. */
const busy = { from: 0.95, upTo: 0.9 };
/**
 * Over how long a cart counts as in use. A cart with one command now and then takes two tasks for it, of its decision and of its
 * projection's end; so long that the tasks of such carts, too, are let through as fast as they come.
 */
const inUseMs = 5_000;
const fewCarts = 20;

/** When a worker takes the next task of a cart that it has in its cache. */
export interface TaskPace {
  /** Notes that this cart is in use. */
  see(workflowId: string): void;
  /** In how many milliseconds the next task should be taken. Each call is one task. */
  next(): number;
}

/**
 * Has a worker whose machine is at its end take each cart's tasks less often, so that the commands which come meanwhile share one
 * decision, one projection and one write: each of those costs about as much as taking a command. As long as there is processor
 * left, no task waits; when there is none, waiting for one's turn gives way to waiting for more to be done in it.
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
    return Math.max(fewCarts, inUse.carts.size, inUse.before);
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

/** Which share of all processors of this machine was used between two calls; 0 where the system does not tell. */
function watchProcessors(): () => number {
  const times = () => {
    const all = cpus().map((cpu) => cpu.times);
    const sum = (of: (times: (typeof all)[number]) => number) => all.reduce((total, one) => total + of(one), 0);
    return { idle: sum(({ idle }) => idle), all: sum((one) => one.user + one.nice + one.sys + one.irq + one.idle) };
  };
  let last = times();
  return () => {
    const current = times();
    const all = current.all - last.all;
    const idle = current.idle - last.idle;
    last = current;
    return all > 0 ? 1 - idle / all : 0;
  };
}
