import { Problem } from '../http/problem';
import type { Scope } from '../http/route';
import type { Caller } from './caller';

/**
 * Decides whether the caller may call a route.
 * @param userId the user of the cart in the path, where there is one.
 * @returns who acts, as the log names it.
 * @throws Problem 401 without a caller, 404 for somebody else's cart, 403 for a scope that the caller does not have.
 */
export function actorFor(caller: Caller | undefined, access: Scope, userId: string | undefined): string {
  if (caller === undefined) {
    throw new Problem(401, 'token_missing', 'Send a token: Authorization: Bearer <token>, or Cart-Token: <token>.', {
      headers: { 'WWW-Authenticate': 'Bearer' },
    });
  }
  if (caller.kind === 'user') {
    if (caller.userId === userId) return userActor(userId);
    if (userId !== undefined) throw unknownCart(userId);
    throw withoutScope(access);
  }
  const { subject, scopes, onBehalfOf } = caller;
  if (userId !== undefined && onBehalfOf === userId) return `agent:${subject}`;
  if (scopes.has(access)) return `staff:${subject}`;
  // An agent gets the same answer for every cart that is not of its user.
  if (userId !== undefined && onBehalfOf !== undefined) throw unknownCart(userId);
  throw withoutScope(access);
}

/** How the log names a user who acts in their own cart. */
export const userActor = (userId: string): string => `user:${userId}`;

const unknownCart = (userId: string) => new Problem(404, 'cart_unknown', `There is no cart ${userId}.`);

const withoutScope = (scope: string) =>
  new Problem(403, 'scope_missing', `The token needs the scope ${scope}.`, {
    headers: { 'WWW-Authenticate': `Bearer error="insufficient_scope", scope="${scope}"` },
  });
