import { createHash } from 'node:crypto';
import type { Request } from 'express';
import { LRUCache } from 'lru-cache';
import { Problem } from '../http/problem';
import type { RateKey } from '../http/rate-limits';
import type { Authorize } from '../http/route';
import { type Issuer, readBearerToken } from './bearer-tokens';
import type { Caller } from './caller';
import type { GuestTokens } from './guests';
import { actorFor, userActor } from './policy';
import { clockToleranceSeconds, invalidToken } from './verify';

/** A token that was verified once is accepted for so long without another look at the keys. */
const rememberedMs = 60_000;
const rememberedTokens = 10_000;

interface Verified {
  readonly caller: Caller;
  readonly expiresAt: number;
  /** A new token for a guest. */
  readonly renewed?: string;
}

/** One token has one form, so that nobody can fill the memory with variants of it. */
const compactToken = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** Lets everybody do everything: for closed networks and tests. Whoever writes to a cart is taken for its user. */
export const allowEverybody: Authorize = async (_access, userId) => ({
  actor: userId === undefined ? 'everybody' : userActor(userId),
  headers: {},
});

/**
 * Asks each request for a token: of a customer, of staff, or of a guest.
 * @param guests absent where there are none.
 */
export function createAuthorize(issuer: Issuer, guests: GuestTokens | undefined): Authorize {
  const verified = new LRUCache<string, Verified>({ max: rememberedTokens, perf: { now: () => Date.now() } });

  const remember = async (kind: string, token: string, verify: () => Promise<Verified>): Promise<Verified> => {
    if (!compactToken.test(token)) throw invalidToken('it is not three parts of base64url');
    const key = `${kind} ${createHash('sha256').update(token).digest('base64url')}`;
    const known = verified.get(key);
    if (known !== undefined) return known;
    const found = await verify();
    verified.set(key, found, { ttl: Math.max(1, Math.min(rememberedMs, found.expiresAt - Date.now())) });
    return found;
  };
  const identify = async (http: Request): Promise<Partial<Verified>> => {
    const authorization = http.get('Authorization');
    if (authorization !== undefined) {
      const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
      if (token === undefined) throw invalidToken('Authorization must be: Bearer <token>');
      return remember('bearer', token, () => readBearerToken(issuer, token));
    }
    const cartToken = http.get('Cart-Token');
    if (cartToken === undefined || guests === undefined) return {};
    return identifyGuest(cartToken, guests);
  };
  const identifyGuest = (cartToken: string, { read }: GuestTokens): Promise<Verified> =>
    remember('guest', cartToken, async () => {
      const { userId, ...rest } = await read(cartToken);
      return { caller: { kind: 'user', userId }, ...rest };
    });
  const readGuest = async (http: Request): Promise<string> => {
    const cartToken = http.get('Cart-Token');
    const { caller } = cartToken && guests ? await identifyGuest(cartToken, guests) : {};
    if (caller?.kind === 'user') return caller.userId;
    throw new Problem(401, 'token_missing', 'Send the token of the guest as Cart-Token, beside your own token.', {
      headers: { 'WWW-Authenticate': 'Bearer' },
    });
  };

  return async (access, userId, http) => {
    if (access === 'everybody') return { actor: 'everybody', headers: {} };
    const { caller, renewed, expiresAt } = await identify(http);
    const actor = actorFor(caller, access, userId);
    return {
      actor,
      headers: renewed === undefined ? {} : { 'Cart-Token': renewed, 'Cache-Control': 'no-store' },
      rateKey: rateKeyOf(caller, actor, userId),
      ...(expiresAt === undefined ? {} : { expiresAt: expiresAt + clockToleranceSeconds * 1_000 }),
      readGuest: () => readGuest(http),
    };
  };
}

/** An agent is limited for each of its users. */
function rateKeyOf(caller: Caller | undefined, actor: string, userId: string | undefined): RateKey {
  const isStaff = caller?.kind === 'staff' && caller.onBehalfOf === undefined;
  return { name: isStaff ? actor : `${actor} ${userId}`, isStaff };
}
