import type { Announcements } from './announcements';

const pollMs = 400;

/**
 * Calls `read` now, after each projection of the cart, and at regular intervals, until it returns a value, the time is
 * over, or the process is stopping. If `read` fails, it is called again, because Postgres can become reachable in time.
 */
export async function awaitProjection<T>(
  announcements: Announcements,
  userId: string,
  seconds: number,
  read: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const deadline = Date.now() + seconds * 1_000;
  let wake = () => {};
  let isAnnounced = false;
  const stopListening = announcements.onProjection(userId, () => {
    isAnnounced = true;
    wake();
  });
  try {
    for (;;) {
      isAnnounced = false;
      const found = await read().catch(() => undefined);
      if (found !== undefined) return found;
      const leftMs = deadline - Date.now();
      if (leftMs <= 0 || announcements.isStopping) return undefined;
      if (isAnnounced) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(pollMs, leftMs));
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  } finally {
    stopListening();
  }
}
