import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** Where a key of Ed25519 is configured, and how a person makes one. */
interface KeySetting {
  readonly variable: string;
  /** The file that the variable names: a key in PEM. */
  readonly file: string | undefined;
}

/** @throws Error that says how to make a key, where none is configured or it is of another kind. */
export async function readPrivateKey({ variable, file }: KeySetting): Promise<KeyObject> {
  if (file === undefined) throw new Error(`${variable} is not set. Make a key and set it to the file:\n  ${howToMake}`);
  return asEd25519(variable, createPrivateKey(await readFile(file)));
}

/** @throws Error where the file has no key, or one of another kind. */
export async function readPublicKey(variable: string, file: string): Promise<KeyObject> {
  return asEd25519(variable, createPublicKey(await readFile(file)));
}

const howToMake = 'openssl genpkey -algorithm ed25519 -out key.pem';

function asEd25519(variable: string, key: KeyObject): KeyObject {
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new Error(`${variable} is not an Ed25519 key. Make one:\n  ${howToMake}`);
}
