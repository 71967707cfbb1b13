import { createRemoteJWKSet, type JWTVerifyGetKey } from 'jose';
import type { Logger } from 'pino';

const timeoutMs = 3_000;
const refreshMs = 600_000;

/** The keys at an address, which an issuer changes from time to time. */
export interface KeySet {
  readonly findKey: JWTVerifyGetKey;
  close(): void;
}

/**
 * Fetches a key set (RFC 7517) with the first token, with one of a key that is not in it, at most every 30 s, and every
 * ten minutes, so that a key that was withdrawn is not taken for longer. While the address does not answer, the keys
 * that were fetched last go on.
 */
export function openKeySet(url: URL, logger: Logger): KeySet {
  const remote = createRemoteJWKSet(url, { timeoutDuration: timeoutMs, cacheMaxAge: Number.POSITIVE_INFINITY });
  const refresh = setInterval(() => {
    remote.reload().catch((error: unknown) => logger.warn({ err: error }, `cannot fetch the keys at ${url}`));
  }, refreshMs);
  refresh.unref();
  return { findKey: remote, close: () => clearInterval(refresh) };
}
