import type { CommandAsk, HttpAsk } from '../check/types';
import type { Random } from '../random';
import type { HttpRequest } from './http';

/** What the clients buy. */
export const products = [
  { productId: 'pen', name: 'Pen', unitPrice: 250, currency: 'EUR' },
  { productId: 'ink', name: 'Ink, 30 ml', unitPrice: 1_190, currency: 'EUR' },
  { productId: 'pad', name: 'Pad', unitPrice: 399, currency: 'EUR', maxQuantity: 10 },
  { productId: 'nib', name: 'Nib', unitPrice: 75, currency: 'EUR' },
  { productId: 'cap', name: 'Cap', unitPrice: 2_000, currency: 'USD' },
];

/** What a client knows of a cart. */
export interface Knowledge {
  /** The newest version that it has seen. */
  readonly version: number;
  /** The newest subtotal that it has seen; undefined before. */
  readonly subtotal?: number | undefined;
  /** The ids of commands that it has sent. */
  readonly commandIds: readonly string[];
}

/** @param freshKey gives a key that nobody has used. */
export function randomCommand(random: Random, { version, subtotal }: Knowledge, freshKey: () => string): CommandAsk {
  const productId = random.chance(0.05) ? 'cap' : random.pick(['pen', 'ink', 'pad', 'nib']);
  const quantity = random.chance(0.05) ? random.int(100, 999) : random.int(1, 5);
  const envelope = {
    kind: 'command' as const,
    ...(random.chance(0.8) ? { key: freshKey() } : {}),
    ...(random.chance(0.15) ? { expectedVersion: version } : {}),
    waitSeconds: random.chance(0.3) ? random.int(1, 5) : 0,
  };
  const choice = random.next();
  if (choice < 0.5) return { ...envelope, type: 'addItem', productId, quantity };
  if (choice < 0.68) {
    return { ...envelope, type: 'changeItemQuantity', productId, quantity: random.chance(0.2) ? 0 : quantity };
  }
  if (choice < 0.8) return { ...envelope, type: 'removeItem', productId };
  if (choice < 0.86) return { ...envelope, type: 'clearCart' };
  if (choice < 0.92) {
    const shown = subtotal !== undefined && random.chance(0.3) ? { expectedTotal: subtotal } : {};
    const accepted = random.chance(0.5) ? { acceptChanges: true as const } : {};
    return { ...envelope, type: 'checkOut', ...shown, ...accepted };
  }
  return { ...envelope, type: 'restoreCart', version: random.int(Math.max(0, version - 30), version) };
}

/** A change of the catalogue: another price, or not for sale for a while. */
export function randomChange(random: Random): HttpRequest {
  const { productId, unitPrice, ...product } = random.pick(products);
  const body = { ...product, unitPrice: unitPrice + random.int(0, 3), available: random.chance(0.8) };
  return { method: 'PUT', path: `/products/${productId}`, body };
}

export function randomRead(random: Random, { version, commandIds }: Knowledge): HttpAsk {
  const choice = random.next();
  if (choice < 0.35) return { kind: 'readCart' };
  if (choice < 0.5) return { kind: 'readCart', minVersion: version };
  if (choice < 0.65) return { kind: 'readVersion', version: random.int(0, version) };
  if (choice < 0.75) return { kind: 'readInstant', at: new Date(Date.now() - random.int(50, 20_000)).toISOString() };
  if (choice < 0.88 || commandIds.length === 0) {
    return { kind: 'readEvents', after: random.int(Math.max(0, version - 20), version) };
  }
  return { kind: 'readOutcome', commandId: random.pick(commandIds) };
}
