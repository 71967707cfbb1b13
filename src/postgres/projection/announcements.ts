import pg from 'pg';
import type { Logger } from 'pino';

/** On which Postgres tells every listener that a cart has news, as soon as the projection commits. */
export const channel = 'cart_projected';

/** Wakes who waits for a cart. A hint only: one may get lost, so a listener looks for itself now and then. */
export interface Announcements {
  /** Calls `listener` after each projection of this cart, until the returned function is called. */
  onProjection(userId: string, listener: () => void): () => void;
  close(): Promise<void>;
}

/** Listens on one connection of its own, and connects anew where that is lost. Never fails: without Postgres it is silent. */
export function listenForProjections(url: string, logger: Logger): Announcements {
  const listeners = new Map<string, Set<() => void>>();
  let client: pg.Client | undefined;
  let retry: NodeJS.Timeout | undefined;
  let isClosed = false;

  const reconnectSoon = (lost: pg.Client) => {
    if (isClosed || client !== lost) return;
    client = undefined;
    retry = setTimeout(connect, 500);
  };
  const connect = () => {
    const attempt = new pg.Client({ connectionString: url, application_name: 'announcements', keepAlive: true });
    client = attempt;
    attempt.on('notification', ({ payload }) => {
      for (const listener of listeners.get(payload ?? '') ?? []) listener();
    });
    attempt.on('error', (error) => {
      logger.warn({ err: error }, 'lost the connection that announces projections; waits fall back to polling');
      reconnectSoon(attempt);
    });
    attempt.on('end', () => reconnectSoon(attempt));
    attempt
      .connect()
      .then(() => attempt.query(`listen ${channel}`))
      .catch(() => {
        attempt.end().catch(() => undefined);
        reconnectSoon(attempt);
      });
  };
  connect();

  return {
    onProjection(userId, listener) {
      const own = listeners.get(userId) ?? new Set();
      listeners.set(userId, own.add(listener));
      return () => {
        own.delete(listener);
        if (own.size === 0) listeners.delete(userId);
      };
    },
    async close() {
      isClosed = true;
      clearTimeout(retry);
      await client?.end().catch(() => undefined);
    },
  };
}
