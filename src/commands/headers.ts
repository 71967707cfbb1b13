import { idDescription, isId } from '../domain/fields';
import { Problem } from '../http/problem';

const longestWaitSeconds = 30;

/** Reads the client's key for this command, with or without quotes. Undefined if the header is missing. */
export function readIdempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const key = header.trim().replace(/^"(.*)"$/, '$1');
  if (!isId(key)) {
    const message = `must be ${idDescription}`;
    throw new Problem(400, 'invalid_request', `Idempotency-Key ${message}`, {
      errors: [{ path: 'Idempotency-Key', message }],
    });
  }
  return key;
}

/** Reads the version that the cart must have: `If-Match: "<version>"`. `*` always matches, as every user has a cart. */
export function readExpectedVersion(header: string | undefined): number | undefined {
  if (header === undefined || header.trim() === '*') return undefined;
  const version = /^"(\d{1,15})"$/.exec(header.trim())?.[1];
  if (version === undefined) {
    throw new Problem(400, 'invalid_request', 'If-Match must be one ETag of the cart, as in If-Match: "7".', {
      errors: [{ path: 'If-Match', message: 'must be one ETag of the cart, a quoted version' }],
    });
  }
  return Number(version);
}

/** Reads the seconds of `Prefer: wait=<seconds>` (RFC 7240), at most 30; 0 if the client does not want to wait. */
export function readWaitSeconds(header: string | undefined): number {
  const seconds = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])/i.exec(header ?? '')?.[1];
  return Math.min(Number(seconds ?? 0), longestWaitSeconds);
}
