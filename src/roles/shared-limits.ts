import type { Logger } from 'pino';
import {
  type IRateLimiterOptions,
  RateLimiterMemory,
  RateLimiterPostgres,
  RateLimiterRes,
} from 'rate-limiter-flexible';
import { connectDatabase } from '../postgres/database';
import { within } from '../timeout';

/** Postgres is not asked again for so long after it did not answer. */
const pauseMs = 5_000;
/** A request waits no longer for its count. */
const longestWaitMs = 500;
/** Shorter, so that requests that wait for their turn in a rush are told from a Postgres that does not answer. */
const queryTimeoutMs = 250;

/**
 * Makes limiters that count in Postgres, together with all other processes. While Postgres does not answer, each counts
 * in its process; in a rush, what finds no connection as well.
 */
export function openSharedLimits(url: string, logger: Logger) {
  const db = connectDatabase(url, { poolSize: 2, name: 'cart-limits', queryTimeoutMs });
  let pausedUntil = 0;
  const pause = (error: unknown) => {
    if (Date.now() >= pausedUntil) {
      logger.warn({ err: error }, 'Postgres counts no requests: this process counts its own');
    }
    pausedUntil = Date.now() + pauseMs;
  };
  return {
    makeLimiter(options: IRateLimiterOptions) {
      const shared = new RateLimiterPostgres({
        ...options,
        storeClient: db,
        storeType: 'knex',
        tableName: 'rate_limits',
        tableCreated: true,
        inMemoryBlockOnConsumed: options.points + 1,
      });
      const own = new RateLimiterMemory(options);
      return {
        async consume(key: string): Promise<RateLimiterRes> {
          if (Date.now() < pausedUntil) return own.consume(key);
          try {
            return await within(longestWaitMs, shared.consume(key));
          } catch (error) {
            if (error instanceof RateLimiterRes) throw error;
            if ((error as Error).name !== 'KnexTimeoutError') pause(error);
            return own.consume(key);
          }
        },
      };
    },
    close: () => db.destroy(),
  };
}
