import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { isId } from '../domain/fields';
import type { Caller } from './caller';
import { isGuestId } from './guests';
import { invalidToken, verify } from './verify';

/** Who issues the tokens of customers and staff, and for whom. */
export interface Issuer {
  readonly issuer: string;
  /** The audience of customers' tokens. */
  readonly audience: string;
  /** The audience of the tokens of staff and machines. */
  readonly staffAudience: string;
  readonly algorithms: readonly string[];
  /** Finds the key that a token names. */
  readonly findKey: JWTVerifyGetKey;
}

/**
 * Verifies a token, and reads who calls.
 * @throws Problem 401 if the token is not valid, 503 if its key cannot be fetched.
 */
export async function readBearerToken(
  { issuer, audience, staffAudience, algorithms, findKey }: Issuer,
  token: string,
): Promise<{ readonly caller: Caller; readonly expiresAt: number }> {
  const payload = await verify(token, findKey, {
    issuer,
    audience: [audience, staffAudience],
    algorithms: [...algorithms],
  });
  const audiences = [payload.aud].flat();
  const isStaff = audiences.includes(staffAudience);
  if (isStaff && audiences.includes(audience)) throw invalidToken('it is for customers and for staff at once');
  return { caller: isStaff ? toStaff(payload) : toCustomer(payload), expiresAt: payload.exp! * 1_000 };
}

function toCustomer({ sub }: JWTPayload): Caller {
  if (!isId(sub) || isGuestId(sub)) throw invalidToken('its subject cannot be the id of a customer');
  return { kind: 'user', userId: sub };
}

function toStaff({ sub, scope, on_behalf_of: onBehalfOf }: JWTPayload): Caller {
  if (!isId(sub)) throw invalidToken('its subject cannot be an id');
  const scopes = new Set(typeof scope === 'string' ? scope.split(' ') : []);
  if (!scopes.has('carts:act')) return { kind: 'staff', subject: sub, scopes };
  if (!isId(onBehalfOf)) throw invalidToken('with the scope carts:act, on_behalf_of must name a user');
  return { kind: 'staff', subject: sub, scopes, onBehalfOf };
}
