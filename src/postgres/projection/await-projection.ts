import type { Announcements } from './announcements';

const pollMs = 400;

/**
 * Asks `probe` at once, after each projection of the cart, and now and then, until it gives something or the time is up.
 * A probe that fails counts as nothing: Postgres may be back before the time is up.
 */
export async function awaitProjection<T>(
  announcements: Announcements,
  userId: string,
  seconds: number,
  probe: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const deadline = Date.now() + seconds * 1_000;
  let wake = () => {};
  let isAnnounced = false;
  const stop = announcements.onProjection(userId, () => {
    isAnnounced = true;
    wake();
  });
  try {
    for (;;) {
      isAnnounced = false;
      const found = await probe().catch(() => undefined);
      if (found !== undefined) return found;
      const left = deadline - Date.now();
      if (left <= 0) return undefined;
      if (isAnnounced) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(pollMs, left));
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  } finally {
    stop();
  }
}
