import { Problem } from '../http/problem';
import type { CartView } from './read-cart';
import type { PastCart, PointInTime } from './read-past-cart';

/**
 * The cart at a moment that has been.
 * @param parameter the query parameter that named the moment.
 * @throws Problem 400 where the moment is still to come, 404 `version_unknown` where the cart does not have the version.
 */
export function requirePastCart(past: PastCart, point: PointInTime, parameter: string): CartView {
  if (past.isFuture) {
    const message = 'lies in the future: what the cart will be is not known';
    throw new Problem(400, 'invalid_request', `${parameter}: ${message}`, { errors: [{ path: parameter, message }] });
  }
  if (past.cart !== undefined) return past.cart;
  const { newestVersion } = past;
  const requested = 'version' in point ? point.version : point.at.toISOString();
  const detail = `There is no version ${requested}; the newest is version ${newestVersion}.`;
  throw new Problem(404, 'version_unknown', detail, { newestVersion });
}

/** For how long an answer made of these stays true. */
export function cacheControlOf(...carts: readonly PastCart[]): string {
  return carts.every((cart) => cart.isFinal) ? 'private, max-age=31536000, immutable' : 'no-cache';
}
