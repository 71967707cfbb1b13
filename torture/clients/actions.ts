import type { BatchAsk, CommandAsk, CommandFields, HttpAsk, MergeAsk, MergeStrategy } from '../check/types';
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
  /** The lines that it has seen newest. */
  readonly lineIds: readonly string[];
  /** The ids of commands that it has sent. */
  readonly commandIds: readonly string[];
}

/** @param freshKey gives a key that nobody has used. */
export function randomCommand(random: Random, known: Knowledge, freshKey: () => string): CommandAsk {
  return {
    kind: 'command',
    ...(random.chance(0.8) ? { key: freshKey() } : {}),
    ...randomEnvelope(random, known),
    ...(random.chance(0.08) ? randomRestore(random, known) : randomFields(random, known)),
  };
}

/** Of up to 6 commands, the last of which may be a checkout. */
export function randomBatch(random: Random, known: Knowledge, key: string): BatchAsk {
  const commands = Array.from({ length: random.int(1, 6) }, () => randomFields(random, known));
  const isLast = (index: number) => index === commands.length - 1;
  return {
    ...{ kind: 'batch', key, atomic: random.chance(0.5), ...randomEnvelope(random, known) },
    commands: commands.filter(({ type }, index) => type !== 'checkOut' || isLast(index)),
  };
}

export function randomMerge(random: Random, from: string, key: string): MergeAsk {
  const strategy = random.pick<MergeStrategy>(['sum', 'max', 'keep', 'replace']);
  return { kind: 'merge', key, from, strategy, waitSeconds: randomWait(random) };
}

const randomEnvelope = (random: Random, { version }: Knowledge) => ({
  ...(random.chance(0.15) ? { expectedVersion: version } : {}),
  waitSeconds: randomWait(random),
});

const randomWait = (random: Random): number => (random.chance(0.3) ? random.int(1, 5) : 0);

const randomRestore = (random: Random, { version }: Knowledge): CommandFields => ({
  type: 'restoreCart',
  version: random.int(Math.max(0, version - 30), version),
});

/** What a batch can have, too. */
function randomFields(random: Random, { subtotal, lineIds }: Knowledge): CommandFields {
  const productId = random.chance(0.05) ? 'cap' : random.pick(['pen', 'ink', 'pad', 'nib']);
  const quantity = random.chance(0.05) ? random.int(100, 999) : random.int(1, 5);
  const line = lineIds.length > 0 && random.chance(0.7) ? toLine(random.pick(lineIds)) : { productId };
  const choice = random.next();
  if (choice < 0.5) {
    const attributes = random.chance(0.3) ? { attributes: { size: random.pick(['S', 'M']) } } : {};
    return { type: 'addItem', productId, quantity, ...attributes };
  }
  if (choice < 0.68) return { type: 'changeItemQuantity', ...line, quantity: random.chance(0.2) ? 0 : quantity };
  if (choice < 0.8) return { type: 'removeItem', ...line };
  if (choice < 0.86) return { type: 'clearCart' };
  if (choice < 0.93) return { type: 'changeNote', note: random.chance(0.3) ? null : `note\n${random.int(1, 5)} ❤` };
  const shown = subtotal !== undefined && random.chance(0.3) ? { expectedTotal: subtotal } : {};
  const accepted = random.chance(0.5) ? { acceptChanges: true as const } : {};
  return { type: 'checkOut', ...shown, ...accepted };
}

const toLine = (lineId: string) => ({ lineId, productId: lineId.split('!')[0]! });

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
