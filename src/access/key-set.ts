import { createLocalJWKSet, type JWTVerifyGetKey, errors as tokenErrors } from 'jose';
import type { Logger } from 'pino';

const timeoutMs = 3_000;
/** At least so long after one fetch, also one that failed, comes the next. */
const coolDownMs = 30_000;
const refreshMs = 600_000;

/** The keys at an address, which an issuer changes from time to time. */
export interface KeySet {
  readonly findKey: JWTVerifyGetKey;
  close(): void;
}

/**
 * Fetches a key set (RFC 7517) with the first token, with one of a key that is not in it, at most every 30 s, and every
 * ten minutes, so that a revoked key is not accepted for longer. While the address does not answer, the keys that were
 * fetched last go on.
 */
export function openKeySet(url: URL, logger: Logger): KeySet {
  // A key in the query of the address is no one's business.
  const address = `${url.origin}${url.pathname}`;
  let keys: ReturnType<typeof createLocalJWKSet> | undefined;
  let fetching: Promise<void> | undefined;
  let fetchedAt = Number.NEGATIVE_INFINITY;

  const fetchKeys = async () => {
    fetchedAt = Date.now();
    const answer = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
    if (!answer.ok) throw new Error(`${address} answered ${answer.status}`);
    keys = createLocalJWKSet((await answer.json()) as Parameters<typeof createLocalJWKSet>[0]);
  };
  const update = (): Promise<void> => {
    fetching ??= fetchKeys().finally(() => {
      fetching = undefined;
    });
    return fetching;
  };
  const mayFetch = () => fetching !== undefined || Date.now() - fetchedAt >= coolDownMs;
  const refresh = setInterval(() => {
    update().catch((error: unknown) => logger.warn({ err: error }, `cannot fetch the keys at ${address}`));
  }, refreshMs);
  refresh.unref();

  return {
    async findKey(header, token) {
      if (keys === undefined) {
        if (!mayFetch()) throw new Error(`The keys at ${address} could not be fetched.`);
        await update();
      }
      try {
        return await keys!(header, token);
      } catch (error) {
        if (!(error instanceof tokenErrors.JWKSNoMatchingKey) || !mayFetch()) throw error;
        await update();
        return keys!(header, token);
      }
    },
    close: () => clearInterval(refresh),
  };
}
