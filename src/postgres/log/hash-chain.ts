import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { CartEvent } from '../../domain/events';

/** What the first event of a cart has as its predecessor's hash. */
export const genesisHash = Buffer.alloc(32);

/** An event with its place in the chain: each hash covers the event and the hash before it. */
export interface ChainedEvent {
  readonly event: CartEvent;
  readonly previousHash: Buffer;
  readonly hash: Buffer;
}

/** SHA-256 over the predecessor's hash, the cart's owner and the event as canonical JSON (RFC 8785). */
export function hashEvent(previousHash: Buffer, userId: string, event: CartEvent): Buffer {
  const { version, type, data, occurredAt, commandId, actor } = event;
  const content = canonicalize({ userId, version, type, data, occurredAt, commandId, actor }) as string;
  return createHash('sha256').update(previousHash).update(content).digest();
}

/** Chains the events of one cart, in order, onto the hash of the last event before them. */
export function chain(headHash: Buffer, userId: string, events: readonly CartEvent[]): ChainedEvent[] {
  let previousHash = headHash;
  return events.map((event) => {
    const hash = hashEvent(previousHash, userId, event);
    const chained = { event, previousHash, hash };
    previousHash = hash;
    return chained;
  });
}
