import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** The files of the keys that sign lists of heads: Ed25519 in PEM. */
export interface KeyFiles {
  readonly privateKeyFile: string | undefined;
  readonly publicKeyFile: string | undefined;
}

const howToMake = 'openssl genpkey -algorithm ed25519 -out heads.pem';

/** @throws Error that says how to make a key, if none is configured. */
export async function readPrivateKey({ privateKeyFile }: KeyFiles): Promise<KeyObject> {
  if (privateKeyFile === undefined) {
    throw new Error(`HEADS_PRIVATE_KEY_FILE is not set. Make a key and set it to the file:\n  ${howToMake}`);
  }
  return asEd25519('HEADS_PRIVATE_KEY_FILE', createPrivateKey(await readFile(privateKeyFile)));
}

/** The public key; where only the private one is configured, its public half. */
export async function readPublicKey(files: KeyFiles): Promise<KeyObject> {
  const { publicKeyFile } = files;
  if (publicKeyFile === undefined) return createPublicKey(await readPrivateKey(files));
  return asEd25519('HEADS_PUBLIC_KEY_FILE', createPublicKey(await readFile(publicKeyFile)));
}

function asEd25519(variable: string, key: KeyObject): KeyObject {
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new Error(`${variable} is not an Ed25519 key. Make one:\n  ${howToMake}`);
}
