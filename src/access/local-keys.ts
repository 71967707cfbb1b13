import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { SignJWT } from 'jose';
import type { Issuer } from './bearer-tokens';

/** The keys of `npm start` on one machine: anybody who can read the data folder can make tokens with them. */
export interface LocalKeys {
  /** Signs the tokens of customers and staff. */
  readonly tokens: KeyObject;
  /** Signs the tokens of guests. */
  readonly guests: KeyObject;
}

/** Reads the keys in this folder; it makes those that are missing. */
export async function openLocalKeys(dataDir: string): Promise<LocalKeys> {
  const folder = path.join(dataDir, 'access');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const [tokens, guests] = await Promise.all(
    ['tokens', 'guests'].map((name) => openKey(path.join(folder, `${name}.pem`))),
  );
  return { tokens: tokens!, guests: guests! };
}

async function openKey(file: string): Promise<KeyObject> {
  if (!existsSync(file)) await makeKey(file);
  return createPrivateKey(await readFile(file));
}

async function makeKey(file: string): Promise<void> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const ownFile = `${file}.${randomUUID()}`;
  await writeFile(ownFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  try {
    // Fails where another process has made a key just now.
    await link(ownFile, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(ownFile);
  }
}

const issuer = 'urn:cart:local';
const audience = 'carts';
const staffAudience = 'carts-staff';
const algorithm = 'EdDSA';

/** The issuer whose tokens `createLocalToken` makes. */
export function localIssuer({ tokens }: LocalKeys): Issuer {
  const publicKey = createPublicKey(tokens);
  return { issuer, audience, staffAudience, algorithms: [algorithm], findKey: async () => publicKey };
}

/** Whom a local token is for: with scopes, for staff; with `onBehalfOf`, for an agent of that user. */
export interface LocalToken {
  readonly subject: string;
  readonly scopes?: readonly string[];
  readonly onBehalfOf?: string | undefined;
  readonly lifeSeconds: number;
}

export function createLocalToken(
  { tokens }: LocalKeys,
  { subject, scopes, onBehalfOf, lifeSeconds }: LocalToken,
): Promise<string> {
  const claims = scopes && {
    scope: scopes.join(' '),
    ...(onBehalfOf === undefined ? {} : { on_behalf_of: onBehalfOf }),
  };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: algorithm })
    .setIssuer(issuer)
    .setAudience(scopes === undefined ? audience : staffAudience)
    .setSubject(subject)
    .setExpirationTime(Math.floor(Date.now() / 1_000) + lifeSeconds)
    .sign(tokens);
}
