import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, type JWK, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose';
import pino from 'pino';
import type { Issuer } from '../../src/access/bearer-tokens';
import { openKeySet } from '../../src/access/key-set';

/** An issuer of tokens, with its key set at an address of this machine. */
export interface TestIssuer {
  readonly issuer: Issuer;
  /** The address of its key set. */
  readonly keysUrl: string;
  /** The half of the key that signs, of RSA, which everybody may know. */
  readonly publicKey: KeyObject;
  /** How often the key set was fetched. */
  readonly fetches: () => number;
  /** Makes a token of a customer; other claims and headers replace those. */
  sign(claims: JWTPayload, options?: { header?: Partial<JWTHeaderParameters>; key?: KeyObject }): Promise<string>;
  /** Takes a new key, and withdraws the one before. */
  rotate(): Promise<void>;
  /** Stops answering for the key set. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

const name = 'https://id.example';

/** Instants of tokens, in seconds from now. */
export const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1_000) + seconds;

export async function openIssuer(): Promise<TestIssuer> {
  let pair = firstPair;
  let number = 1;
  let keys: JWK[] = [await toJwk(pair.publicKey, 'key-1')];
  let fetches = 0;
  const server = createServer((_req, res) => {
    fetches += 1;
    res.setHeader('Content-Type', 'application/json').end(JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`);
  const keySet = openKeySet(url, pino({ level: 'silent' }));
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return {
    issuer: {
      issuer: name,
      audience: 'carts',
      staffAudience: 'carts-staff',
      algorithms: ['RS256', 'EdDSA'],
      findKey: keySet.findKey,
    },
    keysUrl: url.href,
    get publicKey() {
      return pair.publicKey;
    },
    fetches: () => fetches,
    sign: (claims, { header, key } = {}) =>
      new SignJWT({ iss: name, aud: 'carts', exp: inSeconds(300), ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: `key-${number}`, ...header })
        .sign(key ?? pair.privateKey),
    async rotate() {
      pair = newPair();
      number += 1;
      keys = [await toJwk(pair.publicKey, `key-${number}`)];
    },
    stop,
    async close() {
      keySet.close();
      await stop();
    },
  };
}

const newPair = () => generateKeyPairSync('rsa', { modulusLength: 2_048 });
/** One for all issuers of a test file, since it takes long to make one. */
const firstPair = newPair();

const toJwk = async (key: KeyObject, kid: string): Promise<JWK> => ({ ...(await exportJWK(key)), kid, use: 'sig' });
