import { randomInt, randomUUID } from 'node:crypto';
import type { Command } from '../src/domain/commands';
import type { LineCommand } from './alternatives/tutorial';

/** The products that carts hold. */
export const products = Array.from({ length: 10 }, (_, n) => ({
  productId: `product-${n}`,
  name: `Product ${n}`,
  unitPrice: 100 + n,
  currency: 'EUR',
  available: true,
}));

/** A command as storefronts send them: two in three add one item, the others set a quantity. */
export function randomLine(): LineCommand {
  const { productId } = products[randomInt(products.length)]!;
  const isAbsolute = randomInt(3) === 0;
  return { productId, isAbsolute, quantity: isAbsolute ? 1 + randomInt(5) : 1 };
}

/** The command of the cart's own rules that a line stands for, with the name and the price of its product. */
export function toCommand(
  userId: string,
  { productId, quantity, isAbsolute }: LineCommand,
  commandId: string = randomUUID(),
): Command {
  const { available: _, ...product } = products.find((one) => one.productId === productId)!;
  const envelope = { commandId, issuedAt: new Date().toISOString(), actor: `user:${userId}` };
  if (isAbsolute) return { type: 'changeItemQuantity', ...envelope, productId, quantity };
  return { type: 'addItem', ...envelope, ...product, quantity };
}
