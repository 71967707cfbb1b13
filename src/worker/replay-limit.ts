/**
 * Half of the time after which a workflow task is lost. The worker replays histories on one thread, side by side: where
 * they take longer together, all of them are lost, and every later attempt as well.
 */
const longMs = 2_000;
/** A worker that has just started gets the carts of another one at once. It does not know yet how long they take. */
const firstAtOnce = 4;

/** How many carts a worker loads by replaying their histories at the same time. */
export interface ReplayLimit {
  atOnce(): number;
  /** Takes into account how long one took. */
  learn(tookMs: number): void;
}

/** Halves the limit for each replay that takes long, and raises it by one for each other. */
export function createReplayLimit(most: number): ReplayLimit {
  let atOnce = Math.min(firstAtOnce, most);
  return {
    atOnce: () => atOnce,
    learn(tookMs) {
      atOnce = tookMs > longMs ? Math.max(1, atOnce >> 1) : Math.min(most, atOnce + 1);
    },
  };
}
