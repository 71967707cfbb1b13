import { generateKeyPairSync } from 'node:crypto';
import type { Logger } from 'pino';
import { allowEverybody, createAuthorize } from '../access/authorize';
import { guestRoute } from '../access/guest-route';
import { createGuestTokens, type GuestTokens } from '../access/guests';
import { openKeySet } from '../access/key-set';
import { localIssuer, openLocalKeys } from '../access/local-keys';
import type { Config } from '../config';
import { readPrivateKey } from '../ed25519';
import { type Authorize, withPorts } from '../http/route';
import type { Role } from './role';

/** Who may do what. Its routes are those for guests, where there are guests. */
export interface AccessRole extends Role {
  readonly authorize: Authorize;
  /** Whether tokens are signed with the key of this machine. */
  readonly isLocal: boolean;
}

/**
 * Opens what the configuration says about access.
 * @param localDir where the process may use keys of its own, the folder that has them.
 * @throws Error that says what to set, where nothing is configured.
 */
export async function openAccessRole(config: Config, logger: Logger, localDir?: string): Promise<AccessRole> {
  const { isOff, keySetUrl, issuer, audience, staffAudience, algorithms, guestKeyFile, guestDays } = config.access;
  if (isOff) {
    if (keySetUrl !== undefined) throw new Error('Set AUTH=off or AUTH_JWKS_URL, not both.');
    logger.warn('AUTH=off: everybody who can reach this process can read and change every cart');
    return toRole(allowEverybody, createGuestTokens(generateKeyPairSync('ed25519').privateKey, guestDays));
  }
  if (keySetUrl !== undefined) {
    if (issuer === undefined) throw new Error('AUTH_ISSUER is not set. Set it to the issuer (`iss`) of your tokens.');
    const guests = guestKeyFile
      ? createGuestTokens(await readPrivateKey({ variable: 'GUEST_KEY_FILE', file: guestKeyFile }), guestDays)
      : undefined;
    const keySet = openKeySet(keySetUrl, logger);
    const ours = { issuer, audience, staffAudience, algorithms, findKey: keySet.findKey };
    const authorize = createAuthorize(ours, guests);
    return toRole(authorize, guests, { close: keySet.close });
  }
  if (localDir === undefined) throw new Error(`It is not configured who may call.\n${whatToSet}`);
  assertAccess(config);
  const keys = await openLocalKeys(localDir);
  const guests = createGuestTokens(keys.guests, guestDays);
  return toRole(createAuthorize(localIssuer(keys), guests), guests, { isLocal: true });
}

const whatToSet =
  'Set AUTH_JWKS_URL and AUTH_ISSUER to those of your tokens; in a closed network, set AUTH=off to let everybody do everything.';
const loopback = ['127.0.0.1', '::1', 'localhost'];

/**
 * The key of `npm start` is for one machine: whoever reads the data folder can make a token.
 * @throws Error where a local key would be used that may not.
 */
export function assertAccess({ host, access }: Config): void {
  if (access.isOff || access.keySetUrl !== undefined) return;
  if (access.isProduction) throw new Error(`With NODE_ENV=production there is no local key.\n${whatToSet}`);
  if (!loopback.includes(host)) {
    throw new Error(`HOST is ${host}, and the local key is for loopback addresses only.\n${whatToSet}`);
  }
}

const toRole = (
  authorize: Authorize,
  guests: GuestTokens | undefined,
  { isLocal = false, close = () => {} } = {},
): AccessRole => ({
  authorize,
  isLocal,
  routes: guests === undefined ? [] : withPorts([guestRoute], { guests }),
  checks: {},
  close: async () => close(),
});
