import { idDescription, isId } from '../domain/fields';
import { Problem } from '../http/problem';

const longestWaitSeconds = 30;

/** The client's key for this command: bare, or quoted as a structured header's string is. Undefined where none is sent. */
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

/** The version the cart must still have: `If-Match: "<version>"`. `*` asks for nothing, for every user has a cart. */
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

/** The seconds of `Prefer: wait=<seconds>` (RFC 7240), at most 30; 0 where the client does not want to wait. */
export function readWaitSeconds(header: string | undefined): number {
  const seconds = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])/i.exec(header ?? '')?.[1];
  return Math.min(Number(seconds ?? 0), longestWaitSeconds);
}
