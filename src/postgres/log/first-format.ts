import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { CartEvent } from '../../domain/events';

/**
 * The first format of hashes: a chain over the events of a cart alone. Events that were written before decisions had
 * hashes still have it, and so have those that workers of an older version write during an upgrade.
 */
export interface FirstFormatEvent {
  readonly event: CartEvent;
  /** Null where the event was written without a hash of its own. */
  readonly previousHash: Buffer | null;
  readonly hash: Buffer | null;
}

/** The previous hash of a cart's first event. */
export const firstGenesis = Buffer.alloc(32);

/** SHA-256 of the previous hash and of the event with its user id, as canonical JSON (RFC 8785). */
export function hashEvent(previousHash: Buffer, userId: string, event: CartEvent): Buffer {
  const { version, type, data, occurredAt, commandId, actor } = event;
  const content = canonicalize({ userId, version, type, data, occurredAt, commandId, actor }) as string;
  return createHash('sha256').update(previousHash).update(content).digest();
}

/**
 * Checks consecutive events of one cart. A worker of an older version takes as previous hash what `carts` has as head,
 * which is the hash of a decision where the cart was upgraded, or used by a newer worker, before.
 * @param expected the previous hash that the first of them must have; null if it may be any.
 * @param heads the hashes of decisions, in hexadecimal digits.
 * @returns each problem, in words, with the version where it is.
 */
export function* checkFirstFormat(
  userId: string,
  events: readonly FirstFormatEvent[],
  expected: Buffer | null,
  heads: ReadonlySet<string>,
): Generator<{ readonly version: number; readonly what: string }> {
  for (const { event, previousHash, hash } of events) {
    const { version } = event;
    if (hash === null || previousHash === null) {
      if (hash !== previousHash) yield { version, what: 'one of its two hashes is missing' };
      expected = null;
      continue;
    }
    if (expected !== null && !previousHash.equals(expected) && !heads.has(previousHash.toString('hex'))) {
      yield { version, what: 'its previous hash is not the hash of the previous event' };
    }
    if (!hashEvent(previousHash, userId, event).equals(hash)) {
      yield { version, what: 'its hash does not match its content' };
    }
    expected = hash;
  }
}
