import type { AddItem, ChangeItemQuantity, Command, RemoveItem, RestoreCart } from './commands';
import type { CartItem, EventFact, Line } from './events';
import { limits } from './limits';
import { type Cart, isSameItem, subtotalOf } from './state';

/** Clients depend on these codes, so never rename one. */
export type RejectionCode =
  | 'version_mismatch'
  | 'quantity_limit_exceeded'
  | 'line_limit_exceeded'
  | 'currency_mismatch'
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
      return checkOut(cart);
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
    return reject('currency_mismatch', `The cart is in ${cart.currency}, ${productId} is priced in ${currency}.`);
  }
  if (line === undefined && cart.items.length >= limits.linesPerCart) {
    return reject('line_limit_exceeded', `A cart holds at most ${limits.linesPerCart} different products.`);
  }
  if (quantity > quantityLimit(command)) return rejectQuantity(command, quantity);
  const { name, unitPrice } = line ?? command;
  return apply({ type: 'ItemAdded', data: { productId, name, unitPrice, currency, quantity, previousQuantity } });
}

function changeItemQuantity(cart: Cart, command: ChangeItemQuantity): Decision {
  const { productId, quantity } = command;
  const line = lineOf(cart, productId);
  if (quantity === 0) return removeItem(cart, command);
  if (line === undefined) return reject('item_not_in_cart', `${productId} is not in the cart; add it first.`);
  if (line.quantity === quantity) return apply();
  if (quantity > line.quantity && quantity > quantityLimit(command)) return rejectQuantity(command, quantity);
  return apply({ type: 'ItemQuantityChanged', data: { productId, quantity, previousQuantity: line.quantity } });
}

function removeItem(cart: Cart, { productId }: RemoveItem | ChangeItemQuantity): Decision {
  const line = lineOf(cart, productId);
  return line === undefined
    ? apply()
    : apply({ type: 'ItemRemoved', data: { productId, quantity: 0, previousQuantity: line.quantity } });
}

function checkOut(cart: Cart): Decision {
  if (cart.currency === null) return reject('cart_empty', 'There is nothing in the cart to check out.');
  const items = cart.items.map(asLine);
  return apply({ type: 'CartCheckedOut', data: { items, currency: cart.currency, subtotal: subtotalOf(items) } });
}

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

const quantityLimit = ({ maxQuantity = limits.quantityPerLine }: AddItem | ChangeItemQuantity): number =>
  Math.min(maxQuantity, limits.quantityPerLine);

const rejectQuantity = (command: AddItem | ChangeItemQuantity, quantity: number): Decision =>
  reject(
    'quantity_limit_exceeded',
    `A cart holds at most ${quantityLimit(command)} of ${command.productId}; this would make ${quantity}.`,
  );

const apply = (...events: EventFact[]): Decision => ({ outcome: 'applied', events });

const reject = (code: RejectionCode, reason: string): Decision => ({ outcome: 'rejected', code, reason });

function unreachable(command: never): never {
  throw new Error(`No rule for command ${JSON.stringify(command)}`);
}
