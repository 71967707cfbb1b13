import type { Announcements } from './announcements';
import { listenForNews } from './news';

const pollMs = 400;

/**
 * Calls `read` now, after each projection of the cart, and at regular intervals, until it returns a value, the time is
 * over, or the process is stopping. If `read` fails, it is called again, because Postgres can become reachable in time.
 * @param cause where given, it is done first, and `read` is not called before a projection that may come of it.
 * @throws what `cause` throws.
 */
export async function awaitProjection<T>(
  announcements: Announcements,
  userId: string,
  seconds: number,
  read: () => Promise<T | undefined>,
  cause?: () => Promise<void>,
): Promise<T | undefined> {
  const news = listenForNews(announcements, userId);
  const untilAnnounced = (leftMs: number) => news.within(Math.min(pollMs, leftMs));
  try {
    await cause?.();
    const deadline = Date.now() + seconds * 1_000;
    if (cause !== undefined && !announcements.isStopping) await untilAnnounced(seconds * 1_000);
    for (;;) {
      news.reset();
      const found = await read().catch(() => undefined);
      if (found !== undefined) return found;
      const leftMs = deadline - Date.now();
      if (leftMs <= 0 || announcements.isStopping) return undefined;
      await untilAnnounced(leftMs);
    }
  } finally {
    news.stop();
  }
}
