import type { Response } from 'express';
import { type IRateLimiterOptions, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { whenEnded } from './ended';
import { Problem } from './problem';

/**
 * How many requests a caller may send in a minute, by what a route does. `public` and `guests` are for requests without
 * a token, so they count per address, and so do rejected tokens.
 */
export const requestsPerMinute = {
  commands: 1_200,
  reads: 6_000,
  reports: 300,
  public: 6_000,
  guests: 60,
  rejectedTokens: 600,
} as const;

type Limited = keyof typeof requestsPerMinute;
/** What is limited together. Health is not limited. */
export type RateClass = Exclude<Limited, 'rejectedTokens'> | 'health';

/** How many answers a caller may have at the same time that stay open. */
const openAnswers = 10;

/** The staff of a shop and its machines act for many customers. */
const staffFactor = 50;
const windowSeconds = 60;

/** Whose requests are counted together: those of an address, of a user, or of a person or machine of the shop. */
export interface RateKey {
  readonly name: string;
  readonly isStaff: boolean;
}

/** Counts requests. */
export interface RateLimits {
  /**
   * Counts a request, and adds to its answer how many are left (RateLimit header fields, IETF draft 10).
   * @throws Problem 429 if none is.
   */
  count(rateClass: Limited, rateKey: RateKey, res: Response): Promise<void>;
  /**
   * Counts an answer that stays open until its connection ends, in this process.
   * @throws Problem 429 if the caller has too many.
   */
  keepOpen(rateKey: RateKey, res: Response): void;
}

/** Counts the requests of each key. It rejects with how long to wait where there are too many. */
export interface Limiter {
  consume(key: string): Promise<RateLimiterRes>;
}

export type MakeLimiter = (options: IRateLimiterOptions) => Limiter;

const inThisProcess: MakeLimiter = (options) => new RateLimiterMemory(options);

/** @param factor multiplies all limits. */
export function createRateLimits(factor: number, makeLimiter: MakeLimiter = inThisProcess): RateLimits {
  const limiters = new Map<string, Limiter>();
  const limiterFor = (rateClass: Limited, points: number) => {
    const name = `${rateClass}:${points}`;
    const limiter = limiters.get(name) ?? makeLimiter({ keyPrefix: rateClass, points, duration: windowSeconds });
    limiters.set(name, limiter);
    return limiter;
  };
  const open = new Map<string, number>();
  return {
    keepOpen({ name, isStaff }, res) {
      const most = Math.ceil(openAnswers * factor * (isStaff ? staffFactor : 1));
      const now = open.get(name) ?? 0;
      if (now >= most) {
        throw new Problem(429, 'too_many_requests', `More than ${most} answers to this caller are open.`, {
          retryAfterSeconds: 5,
        });
      }
      open.set(name, now + 1);
      whenEnded(res, () => {
        const left = open.get(name)! - 1;
        if (left > 0) open.set(name, left);
        else open.delete(name);
      });
    },
    async count(rateClass, { name, isStaff }, res) {
      const points = Math.ceil(requestsPerMinute[rateClass] * factor * (isStaff ? staffFactor : 1));
      const { remainingPoints, msBeforeNext, isOver } = await consume(limiterFor(rateClass, points), name);
      const seconds = Math.ceil(msBeforeNext / 1_000);
      res.set('RateLimit-Policy', `"${rateClass}";q=${points};w=${windowSeconds}`);
      res.set('RateLimit', `"${rateClass}";r=${remainingPoints};t=${seconds}`);
      if (!isOver) return;
      throw new Problem(429, 'too_many_requests', `More than ${points} requests of this kind in a minute.`, {
        retryAfterSeconds: Math.max(1, seconds),
      });
    },
  };
}

async function consume(limiter: Limiter, name: string) {
  try {
    const { remainingPoints, msBeforeNext } = await limiter.consume(name);
    return { remainingPoints, msBeforeNext, isOver: false };
  } catch (error) {
    if (!(error instanceof RateLimiterRes)) throw error;
    return { remainingPoints: 0, msBeforeNext: error.msBeforeNext, isOver: true };
  }
}
