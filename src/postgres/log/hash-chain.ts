import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { RecordedDecision } from '../../domain/handle';
import type { FirstFormatEvent } from './first-format';

/** The format of the hashes that are written. It is part of what they cover. */
export const hashFormat = 2;

/** A user as hashes cover it. Without the salt, nobody can find out which user a hash is of. */
export interface SaltedUser {
  readonly userId: string;
  readonly salt: Buffer;
}

/** A place in a hash chain: the hash there covers the content and the previous hash, and so all that is before. */
export interface Link {
  readonly previousHash: Buffer;
  readonly hash: Buffer;
}

/** The hashes of the first format that an event is stored with, by its version. */
export type FirstHashes = ReadonlyMap<number, Pick<FirstFormatEvent, 'previousHash' | 'hash'>>;

export const noFirstHashes: FirstHashes = new Map();

const sha256 = (...parts: readonly (Buffer | string)[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** What stands for a user in hashes and in lists of heads: SHA-256 of salt and user id. */
export const commitmentOf = ({ userId, salt }: SaltedUser): string => sha256(salt, userId).toString('hex');

/** The previous hash of the first entry of a user's chain. */
export const genesisOf = (chain: 'decisions' | 'archive', user: SaltedUser): Buffer =>
  sha256(canonical({ format: hashFormat, chain, user: commitmentOf(user) }));

/** SHA-256 of the previous hash and a chain's next entry as canonical JSON (RFC 8785). Absent fields are left out. */
export const hashEntry = (previousHash: Buffer, entry: Readonly<Record<string, unknown>>): Buffer =>
  sha256(previousHash, canonical({ format: hashFormat, ...entry }));

const canonical = (value: unknown): string => canonicalize(value) as string;

/** Hashes a decision as it is stored, with all its events. */
export function hashDecision(
  previousHash: Buffer,
  user: SaltedUser,
  decision: RecordedDecision,
  firstHashes = noFirstHashes,
): Buffer {
  return hashWith(commitmentOf(user), previousHash, user, decision, firstHashes);
}

/**
 * Adds decisions of one cart, in order, to its chain.
 * @param headHash the hash of the last decision before them.
 */
export function chainDecisions(
  headHash: Buffer,
  user: SaltedUser,
  decisions: readonly RecordedDecision[],
  firstHashes = noFirstHashes,
): Link[] {
  const commitment = commitmentOf(user);
  let previousHash = headHash;
  return decisions.map((decision) => {
    const link = { previousHash, hash: hashWith(commitment, previousHash, user, decision, firstHashes) };
    previousHash = link.hash;
    return link;
  });
}

function hashWith(
  commitment: string,
  previousHash: Buffer,
  { userId }: SaltedUser,
  { command, events, ...decision }: RecordedDecision,
  firstHashes: FirstHashes,
): Buffer {
  const actorOf = (actor: string) => (actor === `user:${userId}` ? `user:${commitment}` : actor);
  return hashEntry(previousHash, {
    ...decision,
    command: { ...command, actor: actorOf(command.actor) },
    events: events.map((event) => {
      const first = firstHashes.get(event.version);
      return {
        ...event,
        actor: actorOf(event.actor),
        ...(first?.previousHash ? { previousHash: first.previousHash.toString('hex') } : {}),
        ...(first?.hash ? { hash: first.hash.toString('hex') } : {}),
      };
    }),
  });
}
