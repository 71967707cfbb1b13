/** From how many projections a second a worker lets the same cart wait before it is projected again. */
const unpacedPerSecond = 100;
/** How long a cart then waits for each projection a second more, in milliseconds; and at most. */
const waitMs = { perProjection: 4, atMost: 500 };

/**
 * Tells how long a cart should wait for its next projection. An idle worker projects at once. On a busy one a cart that was
 * projected a moment ago waits, so that its next decisions share one projection: each costs Temporal and Postgres about as much
 * as the command itself. Carts that were not projected lately never wait.
 * @param now the clock, in milliseconds.
 */
export function createPace(now: () => number = () => performance.now()): (userId: string) => number {
  let second = { began: now(), count: 0 };
  let perSecond = 0;
  let recent = new Map<string, number>();
  let older = recent;
  return (userId) => {
    const at = now();
    if (at - second.began >= 1_000) {
      perSecond = (second.count * 1_000) / (at - second.began);
      second = { began: at, count: 0 };
      older = recent;
      recent = new Map();
    }
    const last = recent.get(userId) ?? older.get(userId) ?? Number.NEGATIVE_INFINITY;
    const apart = Math.min(waitMs.atMost, Math.max(0, perSecond - unpacedPerSecond) * waitMs.perProjection);
    const next = Math.max(at, last + apart);
    second.count += 1;
    recent.set(userId, next);
    return next - at;
  };
}
