import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { CartEvent } from '../../domain/events';

/** The previous hash of a cart's first event. */
export const genesisHash = Buffer.alloc(32);

/** An event in the hash chain: its hash covers the event and the previous hash. */
export interface ChainedEvent {
  readonly event: CartEvent;
  readonly previousHash: Buffer;
  readonly hash: Buffer;
}

/** SHA-256 of the previous hash and of the event with its user id, as canonical JSON (RFC 8785). */
export function hashEvent(previousHash: Buffer, userId: string, event: CartEvent): Buffer {
  const { version, type, data, occurredAt, commandId, actor } = event;
  const content = canonicalize({ userId, version, type, data, occurredAt, commandId, actor }) as string;
  return createHash('sha256').update(previousHash).update(content).digest();
}

/**
 * Adds the events of one cart, in order, to its hash chain.
 * @param headHash the hash of the last event before them.
 */
export function chain(headHash: Buffer, userId: string, events: readonly CartEvent[]): ChainedEvent[] {
  let previousHash = headHash;
  return events.map((event) => {
    const hash = hashEvent(previousHash, userId, event);
    const chained = { event, previousHash, hash };
    previousHash = hash;
    return chained;
  });
}
