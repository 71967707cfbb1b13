import type { AddItem, ChangeItemQuantity, CheckOut, Command, RemoveItem, RestoreCart } from './commands';
import type { CartItem, EventFact, Line } from './events';
import { changesOf, type ProductFacts, quantityLimit } from './facts';
import { limits } from './limits';
import { type Cart, isSameItem, subtotalOf } from './state';

/** Clients depend on these codes, so never rename one. */
export type RejectionCode =
  | 'version_mismatch'
  | 'quantity_limit_exceeded'
  | 'line_limit_exceeded'
  | 'currency_mismatch'
  | 'product_unavailable'
  | 'try_again'
  | 'price_changed'
  | 'total_mismatch'
  | 'item_not_in_cart'
  | 'cart_empty'
  | 'version_unknown'
  | 'malformed_command'
  | 'idempotency_key_reused'
  | 'superseded';

/** The outcome of one command. It is `applied` without events if the command changes nothing. */
export type Decision =
  | { readonly outcome: 'applied'; readonly events: readonly EventFact[] }
  | { readonly outcome: 'rejected'; readonly code: RejectionCode; readonly reason: string };

/** The business rules: which events a command leads to, or why it is rejected. Pure, and never throws. */
export function decide(cart: Cart, command: Command): Decision {
  const { expectedVersion, expectedVersions = expectedVersion === undefined ? undefined : [expectedVersion] } = command;
  if (expectedVersions !== undefined && !expectedVersions.includes(cart.version)) {
    return reject(
      'version_mismatch',
      `The cart is at version ${cart.version}, the command expected version ${expectedVersions.join(' or ')}.`,
    );
  }
  switch (command.type) {
    case 'addItem':
      return addItem(cart, command);
    case 'changeItemQuantity':
      return changeItemQuantity(cart, command);
    case 'removeItem':
      return removeItem(cart, command);
    case 'clearCart':
      return cart.items.length === 0
        ? apply()
        : apply({ type: 'CartCleared', data: { items: cart.items.map(asLine) } });
    case 'checkOut':
      return checkOut(cart, command);
    case 'restoreCart':
      return restoreCart(cart, command);
    default:
      return unreachable(command);
  }
}

function addItem(cart: Cart, command: AddItem): Decision {
  const { productId, currency } = command;
  const line = lineOf(cart, productId);
  const previousQuantity = line?.quantity ?? 0;
  const quantity = previousQuantity + command.quantity;
  if (cart.currency !== null && cart.currency !== currency) {
    return rejectCurrency(cart.currency, productId, currency);
  }
  if (line === undefined && cart.items.length >= limits.linesPerCart) {
    return reject('line_limit_exceeded', `A cart holds at most ${limits.linesPerCart} different products.`);
  }
  const maxQuantity = quantityLimit(command);
  if (quantity > maxQuantity) return rejectQuantity({ productId, quantity }, maxQuantity);
  const { name, unitPrice } = line ?? command;
  return apply({ type: 'ItemAdded', data: { productId, name, unitPrice, currency, quantity, previousQuantity } });
}

function changeItemQuantity(cart: Cart, command: ChangeItemQuantity): Decision {
  const { productId, quantity, facts } = command;
  const line = lineOf(cart, productId);
  if (quantity === 0) return removeItem(cart, command);
  if (line === undefined) return reject('item_not_in_cart', `${productId} is not in the cart; add it first.`);
  if (line.quantity === quantity) return apply();
  if (quantity > line.quantity) {
    const raised = { ...line, quantity };
    const maxQuantity = quantityLimit(command);
    if (facts !== undefined) {
      const obstacle = findObstacle(
        raised,
        cart.items.map((item) => (item === line ? raised : item)),
        cart.currency!,
        facts,
      );
      if (obstacle !== undefined) return obstacle;
    } else if (quantity > maxQuantity) return rejectQuantity(raised, maxQuantity);
  }
  return apply({ type: 'ItemQuantityChanged', data: { productId, quantity, previousQuantity: line.quantity } });
}

function removeItem(cart: Cart, { productId }: RemoveItem | ChangeItemQuantity): Decision {
  const line = lineOf(cart, productId);
  return line === undefined
    ? apply()
    : apply({ type: 'ItemRemoved', data: { productId, quantity: 0, previousQuantity: line.quantity } });
}

function checkOut({ items, currency }: Cart, { facts, expectedTotal, acceptChanges }: CheckOut): Decision {
  if (currency === null) return reject('cart_empty', 'There is nothing in the cart to check out.');
  if (facts === undefined) return apply(sell(items, currency));
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
  return apply(...repriced, sell(lines, currency));
}

const sell = (lines: readonly Line[], currency: string): EventFact => ({
  type: 'CartCheckedOut',
  data: { items: lines.map(asLine), currency, subtotal: subtotalOf(lines) },
});

function reprice({ productId, unitPrice: previousUnitPrice }: Line, facts: readonly ProductFacts[]) {
  const known = factsOf(productId, facts);
  if (!known?.available || known.unitPrice === previousUnitPrice) return [];
  return [{ type: 'ItemRepriced', data: { productId, unitPrice: known.unitPrice, previousUnitPrice } } as const];
}

/** Why a line cannot be sold, or its quantity not be raised, whatever its price is. */
function findObstacle(
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
    if (change.code === 'quantity_limit_exceeded') return rejectQuantity(line, change.maxQuantity);
  }
  return undefined;
}

const factsOf = (productId: string, facts: readonly ProductFacts[]): ProductFacts | undefined =>
  facts.find((each) => each.productId === productId);

function restoreCart(cart: Cart, { version, items, currency }: RestoreCart): Decision {
  if (version > cart.version) {
    return reject('version_unknown', `The cart is at version ${cart.version}; there is no version ${version} yet.`);
  }
  if ((currency === null) !== (items.length === 0)) {
    return reject('malformed_command', 'A cart has a currency exactly when it has items.');
  }
  if (isSameContent(cart.items, items)) return apply();
  return apply({
    type: 'CartRestored',
    data: { restoredVersion: version, items, currency, previousItems: cart.items.map(asLine) },
  });
}

function isSameContent(items: readonly CartItem[], others: readonly CartItem[]): boolean {
  return items.length === others.length && items.every((item, index) => isSameItem(item, others[index]));
}

const lineOf = (cart: Cart, productId: string) => cart.items.find((item) => item.productId === productId);

const asLine = ({ productId, name, unitPrice, quantity }: Line): Line => ({ productId, name, unitPrice, quantity });

const rejectCurrency = (currency: string, productId: string, other: string): Decision =>
  reject('currency_mismatch', `The cart is in ${currency}, ${productId} is priced in ${other}.`);

const rejectQuantity = ({ productId, quantity }: Pick<Line, 'productId' | 'quantity'>, maxQuantity: number): Decision =>
  reject(
    'quantity_limit_exceeded',
    `A cart holds at most ${maxQuantity} of ${productId}; this would make ${quantity}.`,
  );

const apply = (...events: EventFact[]): Decision => ({ outcome: 'applied', events });

const reject = (code: RejectionCode, reason: string): Decision => ({ outcome: 'rejected', code, reason });

function unreachable(command: never): never {
  throw new Error(`No rule for command ${JSON.stringify(command)}`);
}
