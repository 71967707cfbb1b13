import { createHash, type KeyObject, sign, verify } from 'node:crypto';
import canonicalize from 'canonicalize';
import { commitmentOf, type SaltedUser } from '../postgres/log/hash-chain';
import type { OldRows, RepairNote, StoredRepair } from '../postgres/log/repairs';

/** What is signed: the user by commitment, the note, and the rows that were replaced, as canonical JSON (RFC 8785). */
const digestOf = (user: SaltedUser, note: RepairNote, oldRows: OldRows): Buffer =>
  createHash('sha256')
    .update(canonicalize({ user: commitmentOf(user), note, oldRows }) as string)
    .digest();

/** Signs a repair with Ed25519. */
export const signRepair = (privateKey: KeyObject, user: SaltedUser, note: RepairNote, oldRows: OldRows): Buffer =>
  sign(null, digestOf(user, note, oldRows), privateKey);

/** Whether a repair was signed with the key, and replaced the decision that had this hash. */
export function explains(
  { note, oldRows, signature }: StoredRepair,
  publicKey: KeyObject,
  user: SaltedUser,
  head: { readonly sequence: number; readonly hash: string },
): boolean {
  const isReplaced = oldRows.commands.some(
    ({ sequence, hash }) => sequence === head.sequence && hash === `\\x${head.hash}`,
  );
  return isReplaced && verify(null, digestOf(user, note, oldRows), publicKey, signature);
}
