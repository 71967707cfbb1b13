import { createPublicKey, type KeyObject, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { isId } from '../domain/fields';
import { invalidToken, verify } from './verify';

/** What the ids of guests begin with. No customer's id may. */
const prefix = 'guest:';
const issuer = 'urn:cart:guests';
const algorithm = 'EdDSA';
/** A token is renewed when it is used after a tenth of its life. */
const renewAfter = 0.1;

export const isGuestId = (userId: string): boolean => userId.startsWith(prefix);

/** A guest's id, and the token with which the guest uses the cart of this id. */
export interface Guest {
  readonly userId: string;
  readonly cartToken: string;
  readonly expiresAt: string;
}

/** Makes and reads the tokens of guests. */
export interface GuestTokens {
  /** Makes a guest whom nobody knows yet, or a new token for one. */
  issue(userId?: string): Promise<Guest>;
  /**
   * @returns whose token it is; with a new token, where this one was used long after it was issued.
   * @throws Problem 401 if it is not valid.
   */
  read(token: string): Promise<{ readonly userId: string; readonly expiresAt: number; readonly renewed?: string }>;
}

/** @param privateKey of Ed25519. All processes that serve carts have the same, and it signs nothing else. */
export function createGuestTokens(privateKey: KeyObject, lifeDays: number): GuestTokens {
  const publicKey = createPublicKey(privateKey);
  const lifeSeconds = lifeDays * 86_400;
  const issue = async (userId = `${prefix}${randomUUID()}`): Promise<Guest> => {
    const issuedAt = Math.floor(Date.now() / 1_000);
    const expiresAt = issuedAt + lifeSeconds;
    const cartToken = await new SignJWT()
      .setProtectedHeader({ alg: algorithm })
      .setIssuer(issuer)
      .setSubject(userId)
      .setIssuedAt(issuedAt)
      .setExpirationTime(expiresAt)
      .sign(privateKey);
    return { userId, cartToken, expiresAt: new Date(expiresAt * 1_000).toISOString() };
  };
  return {
    issue,
    async read(token) {
      const { sub, exp } = await verify(token, async () => publicKey, { issuer, algorithms: [algorithm] });
      if (!isId(sub) || !isGuestId(sub)) throw invalidToken('its subject is no guest');
      const userId = sub;
      const expiresAt = exp! * 1_000;
      const isFresh = expiresAt - Date.now() > (1 - renewAfter) * lifeSeconds * 1_000;
      return { userId, expiresAt, ...(isFresh ? {} : { renewed: (await issue(userId)).cartToken }) };
    },
  };
}
