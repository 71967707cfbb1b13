import type { CheckOut } from './commands';
import { apply, type Decision, reject } from './decision';
import { asLine, type EventFact, type Line } from './events';
import { changesOf, type ProductFacts } from './facts';
import { quantityOf, refOfLine } from './lines';
import { type Cart, subtotalOf } from './state';

/** Sells all lines at the prices of the cart, or at those of today where the command accepts them. */
export function checkOut(cart: Cart, { facts, expectedTotal, acceptChanges }: CheckOut): Decision {
  const { items, currency, note } = cart;
  if (currency === null) return reject('cart_empty', 'There is nothing in the cart to check out.');
  if (facts === undefined) return apply(sell(items, currency, note));
  for (const item of items) {
    const obstacle = findObstacle(item, items, currency, facts);
    if (obstacle !== undefined) return obstacle;
  }
  const repriced = items.flatMap((item) => reprice(item, facts));
  const [change] = repriced;
  if (change !== undefined && acceptChanges !== true) {
    const { productId, unitPrice, previousUnitPrice } = change.data;
    return reject('price_changed', `${productId} costs ${unitPrice} now; it is in the cart at ${previousUnitPrice}.`);
  }
  const prices = new Map(repriced.map(({ data }) => [data.productId, data.unitPrice]));
  const lines = items.map((item) => ({ ...item, unitPrice: prices.get(item.productId) ?? item.unitPrice }));
  const total = subtotalOf(lines);
  if (expectedTotal !== undefined && expectedTotal !== total) {
    return reject('total_mismatch', `The total is ${total}; the command expected ${expectedTotal}.`);
  }
  return apply(...repriced, sell(lines, currency, note));
}

const sell = (lines: readonly Line[], currency: string, note: string | undefined): EventFact => ({
  type: 'CartCheckedOut',
  data: { items: lines.map(asLine), currency, subtotal: subtotalOf(lines), ...(note === undefined ? {} : { note }) },
});

function reprice(line: Line, facts: readonly ProductFacts[]) {
  const known = factsOf(line.productId, facts);
  if (!known?.available || known.unitPrice === line.unitPrice) return [];
  const prices = { unitPrice: known.unitPrice, previousUnitPrice: line.unitPrice };
  return [{ type: 'ItemRepriced', data: { ...refOfLine(line), ...prices } } as const];
}

/** Why a line cannot be sold, or its quantity not be raised, whatever its price is. */
export function findObstacle(
  line: Line,
  lines: readonly Line[],
  currency: string,
  facts: readonly ProductFacts[],
): Decision | undefined {
  const { productId } = line;
  const known = factsOf(productId, facts);
  if (known === undefined) {
    return reject('try_again', `The command was sent before the catalogue was asked about ${productId}. Try again.`);
  }
  for (const change of changesOf(line, currency, known, lines)) {
    if (change.code === 'product_unavailable') return reject(change.code, `${productId} is not for sale any more.`);
    if (change.code === 'currency_changed') return rejectCurrency(currency, productId, change.currency);
    if (change.code === 'quantity_limit_exceeded')
      return rejectQuantity(productId, quantityOf(lines, productId), change.maxQuantity);
  }
  return undefined;
}

const factsOf = (productId: string, facts: readonly ProductFacts[]): ProductFacts | undefined =>
  facts.find((each) => each.productId === productId);

export const rejectCurrency = (currency: string, productId: string, other: string): Decision =>
  reject('currency_mismatch', `The cart is in ${currency}, ${productId} is priced in ${other}.`);

export const rejectQuantity = (productId: string, quantity: number, maxQuantity: number): Decision =>
  reject(
    'quantity_limit_exceeded',
    `A cart holds at most ${maxQuantity} of ${productId}; this would make ${quantity}.`,
  );
