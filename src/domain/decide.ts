import { checkOut, findObstacle, rejectCurrency, rejectQuantity } from './check-out';
import type {
  AddItem,
  AddUnavailable,
  ChangeItemQuantity,
  ChangeNote,
  Command,
  RemoveItem,
  RestoreCart,
} from './commands';
import { apply, type Decision, reject } from './decision';
import { asLine, type CartItem } from './events';
import { quantityLimit } from './facts';
import { limits } from './limits';
import { type LineRef, lineIdOf, lineWith, quantityOf, refOfLine } from './lines';
import { handOverCart, mergeCart, rejectHandedOver } from './merge';
import { type Cart, isSameItem } from './state';

/** Rejects a command that expects other versions than this one. */
export function checkVersion(version: number, command: Command): Decision | undefined {
  const { expectedVersion, expectedVersions = expectedVersion === undefined ? undefined : [expectedVersion] } = command;
  if (expectedVersions === undefined || expectedVersions.includes(version)) return undefined;
  return reject(
    'version_mismatch',
    `The cart is at version ${version}, the command expected version ${expectedVersions.join(' or ')}.`,
  );
}

/**
 * The business rules: which events a command leads to, or why it is rejected. Pure, and never throws. The expected
 * version is checked before: see `checkVersion`.
 */
export function decide(cart: Cart, command: Command): Decision {
  if (cart.handedOverTo !== undefined && command.type !== 'handOverCart') return rejectHandedOver();
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
    case 'changeNote':
      return changeNote(cart, command);
    case 'checkOut':
      return checkOut(cart, command);
    case 'restoreCart':
      return restoreCart(cart, command);
    case 'handOverCart':
      return handOverCart(cart, command);
    case 'mergeCart':
      return mergeCart(cart, command);
    default:
      return unreachable(command);
  }
}

function addItem(cart: Cart, command: AddItem | AddUnavailable): Decision {
  if ('available' in command) return reject('product_unavailable', `${command.productId} is not for sale.`);
  const { productId, currency } = command;
  const identity = lineWith(productId, command.attributes);
  const line = lineOf(cart, identity);
  const previousQuantity = line?.quantity ?? 0;
  const quantity = previousQuantity + command.quantity;
  if (cart.currency !== null && cart.currency !== currency) {
    return rejectCurrency(cart.currency, productId, currency);
  }
  if (line === undefined && cart.items.length >= limits.linesPerCart) {
    return reject('line_limit_exceeded', `A cart holds at most ${limits.linesPerCart} lines.`);
  }
  const maxQuantity = quantityLimit(command);
  const total = quantityOf(cart.items, productId) + command.quantity;
  if (total > maxQuantity) return rejectQuantity(productId, total, maxQuantity);
  const { name, unitPrice } = line ?? command;
  return apply({ type: 'ItemAdded', data: { ...identity, name, unitPrice, currency, quantity, previousQuantity } });
}

function changeItemQuantity(cart: Cart, command: ChangeItemQuantity): Decision {
  const { quantity, facts } = command;
  const line = lineOf(cart, command);
  if (quantity === 0) return removeItem(cart, command);
  if (line === undefined) return reject('item_not_in_cart', `${lineIdOf(command)} is not in the cart; add it first.`);
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
    } else if (quantity > maxQuantity) return rejectQuantity(line.productId, quantity, maxQuantity);
  }
  return apply({
    type: 'ItemQuantityChanged',
    data: { ...refOfLine(line), quantity, previousQuantity: line.quantity },
  });
}

function removeItem(cart: Cart, command: RemoveItem | ChangeItemQuantity): Decision {
  const line = lineOf(cart, command);
  return line === undefined
    ? apply()
    : apply({ type: 'ItemRemoved', data: { ...refOfLine(line), quantity: 0, previousQuantity: line.quantity } });
}

function changeNote(cart: Cart, { note }: ChangeNote): Decision {
  const previousNote = cart.note ?? null;
  return note === previousNote ? apply() : apply({ type: 'NoteChanged', data: { note, previousNote } });
}

function restoreCart(cart: Cart, { version, items, currency, note }: RestoreCart): Decision {
  if (version > cart.version) {
    return reject('version_unknown', `The cart is at version ${cart.version}; there is no version ${version} yet.`);
  }
  if ((currency === null) !== (items.length === 0)) {
    return reject('malformed_command', 'A cart has a currency exactly when it has items.');
  }
  const previousNote = cart.note ?? null;
  const changedNote = note === undefined || note === previousNote ? {} : { note, previousNote };
  if (isSameContent(cart.items, items) && !('note' in changedNote)) return apply();
  return apply({
    type: 'CartRestored',
    data: { restoredVersion: version, items, currency, previousItems: cart.items.map(asLine), ...changedNote },
  });
}

function isSameContent(items: readonly CartItem[], others: readonly CartItem[]): boolean {
  return items.length === others.length && items.every((item, index) => isSameItem(item, others[index]));
}

function lineOf(cart: Cart, line: LineRef): CartItem | undefined {
  const lineId = lineIdOf(line);
  return cart.items.find((item) => lineIdOf(item) === lineId);
}

function unreachable(command: never): never {
  throw new Error(`No rule for command ${JSON.stringify(command)}`);
}
