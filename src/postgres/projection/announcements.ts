import pg from 'pg';
import type { Logger } from 'pino';

/** The channel on which Postgres notifies all listeners when a projection commits. The payload is the user id. */
export const channel = 'cart_projected';

/** Postgres rejects LISTEN with this code on a replica, which may become a primary. */
const isReplica = '25006';

/** Notifications about projections. Some can get lost, so a listener must also poll from time to time. */
export interface Announcements {
  /**
   * Calls `listener` after each projection of this cart, and when some may have been missed.
   * @returns a function that stops this.
   */
  onProjection(userId: string, listener: () => void): () => void;
  /** Whether it hears of projections at this moment. */
  readonly isListening: boolean;
  /** Whether the process is stopping, so that no request should wait. When that begins, all listeners are called. */
  readonly isStopping: boolean;
  close(): Promise<void>;
}

/** Listens on a connection of its own, and reconnects if it is lost. It never fails: without Postgres it is silent. */
export function listenForProjections(url: string, logger: Logger, stopping?: AbortSignal): Announcements {
  const listeners = new Map<string, Set<() => void>>();
  let client: pg.Client | undefined;
  let retry: NodeJS.Timeout | undefined;
  let isListening = false;
  let isClosed = false;

  const reconnectAfter = (lost: pg.Client, waitMs = 500) => {
    if (isClosed || client !== lost) return;
    client = undefined;
    isListening = false;
    retry = setTimeout(connect, waitMs);
  };
  const connect = () => {
    const attempt = new pg.Client({ connectionString: url, application_name: 'announcements', keepAlive: true });
    client = attempt;
    attempt.on('notification', ({ payload }) => {
      for (const listener of listeners.get(payload ?? '') ?? []) listener();
    });
    attempt.on('error', (error) => {
      logger.warn({ err: error }, 'lost the connection that announces projections; waiting requests poll instead');
      reconnectAfter(attempt);
    });
    attempt.on('end', () => reconnectAfter(attempt));
    attempt
      .connect()
      .then(() => attempt.query(`listen ${channel}`))
      .then(() => {
        isListening = true;
        // What was projected while nobody listened was not announced.
        callAll();
      })
      .catch((error: { code?: unknown }) => {
        reconnectAfter(attempt, error.code === isReplica ? 30_000 : undefined);
        attempt.end().catch(() => undefined);
      });
  };
  const callAll = () => {
    for (const ofCart of listeners.values()) for (const listener of ofCart) listener();
  };
  connect();
  stopping?.addEventListener('abort', callAll);

  return {
    onProjection(userId, listener) {
      const ofCart = listeners.get(userId) ?? new Set();
      listeners.set(userId, ofCart.add(listener));
      return () => {
        ofCart.delete(listener);
        if (ofCart.size === 0) listeners.delete(userId);
      };
    },
    get isListening() {
      return isListening;
    },
    get isStopping() {
      return stopping?.aborted ?? false;
    },
    async close() {
      isClosed = true;
      stopping?.removeEventListener('abort', callAll);
      clearTimeout(retry);
      await client?.end().catch(() => undefined);
    },
  };
}
