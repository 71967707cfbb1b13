import { z } from 'zod';
import { Problem } from '../http/problem';
import type { CartView } from '../http/shapes';
import type { PastCart, PointInTime } from './read-past-cart';

/**
 * Returns the cart, or throws the problem that explains why there is none.
 * @param parameter the query parameter with the point in time.
 * @throws Problem 400 if the point in time is in the future, 404 if the cart does not have the version.
 */
export function requirePastCart(past: PastCart, point: PointInTime, parameter: string): CartView {
  if (past.isFuture) {
    const message = 'must not be in the future';
    throw new Problem(400, 'invalid_request', `${parameter}: ${message}`, { errors: [{ path: parameter, message }] });
  }
  if (past.cart !== undefined) return past.cart;
  const { newestVersion } = past;
  const requested = 'version' in point ? point.version : point.at.toISOString();
  const detail = `There is no version ${requested}; the newest is version ${newestVersion}.`;
  throw new Problem(404, 'version_unknown', detail, { newestVersion });
}

/** The Cache-Control header of an answer made from these carts: the answer is cacheable if no event can change it. */
export function cacheControlOf(...carts: readonly PastCart[]): string {
  return carts.every((cart) => cart.isFinal) ? 'private, max-age=31536000, immutable' : 'private, no-cache';
}

export const pastHeaders = { 'Cache-Control': z.string() };
