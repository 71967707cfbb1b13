import { createPublicKey, type KeyObject } from 'node:crypto';
import * as ed25519 from '../ed25519';

/** The files of the keys that sign lists of heads: Ed25519 in PEM. */
export interface KeyFiles {
  readonly privateKeyFile: string | undefined;
  readonly publicKeyFile: string | undefined;
}

/** @throws Error that says how to make a key, if none is configured. */
export const readPrivateKey = ({ privateKeyFile }: KeyFiles): Promise<KeyObject> =>
  ed25519.readPrivateKey({ variable: 'HEADS_PRIVATE_KEY_FILE', file: privateKeyFile });

/** The public key; where only the private one is configured, its public half. */
export const readPublicKey = async (files: KeyFiles): Promise<KeyObject> =>
  files.publicKeyFile === undefined
    ? createPublicKey(await readPrivateKey(files))
    : ed25519.readPublicKey('HEADS_PUBLIC_KEY_FILE', files.publicKeyFile);
