import type { HandOverCart, MergeCart, MergeStrategy } from './commands';
import { apply, type Decision, reject } from './decision';
import { asLine, type CartItem, type EventFact, type LeftOutLine, type Line } from './events';
import { limits } from './limits';
import { lineIdOf, quantityOf, refOfLine } from './lines';
import type { Cart } from './state';

/** Hands a guest's cart over to one user, once. The cart takes no commands after that. */
export function handOverCart(cart: Cart, { to, strategy }: HandOverCart): Decision {
  if (cart.handedOverTo === to) return apply();
  if (cart.handedOverTo !== undefined) return rejectHandedOver();
  const { items, currency, note } = cart;
  const data = { to, strategy, items, currency, ...(note === undefined ? {} : { note }) };
  return apply({ type: 'CartHandedOver', data });
}

/** The code of whatever is asked of a cart that was handed over. It does not say to whom. */
export const rejectHandedOver = (): Decision =>
  reject('cart_handed_over', 'The cart was handed over to a user, and takes no more commands.');

/**
 * Puts what a guest handed over into the cart, line by line. What does not fit is named. A note of the user stays, but
 * for the strategy `replace`.
 */
export function mergeCart(cart: Cart, { from, strategy, items, currency, note }: MergeCart): Decision {
  const leftOut: LeftOutLine[] = [];
  const facts: EventFact[] = [];
  const isOtherCurrency = cart.currency !== null && cart.currency !== currency;
  const lines = new Map(cart.items.map((line) => [lineIdOf(line), line]));
  for (const item of items) {
    const line = lines.get(lineIdOf(item));
    if (isOtherCurrency) leftOut.push(leave(item, item.quantity, 'currency_mismatch'));
    else if (line === undefined && lines.size >= limits.linesPerCart) {
      leftOut.push(leave(item, item.quantity, 'line_limit_exceeded'));
    } else {
      const own = line?.quantity ?? 0;
      const wanted = line === undefined ? item.quantity : quantityAfter[strategy](own, item.quantity);
      const others = quantityOf([...lines.values()], item.productId) - own;
      const quantity = Math.min(wanted, Math.max(own, limits.quantityPerProduct - others));
      if (wanted > quantity) leftOut.push(leave(item, wanted - quantity, 'quantity_limit_exceeded'));
      if (quantity === own) continue;
      facts.push(changeTo(quantity, item, line, currency!, from));
      lines.set(lineIdOf(item), { ...(line ?? item), quantity });
    }
  }
  const isOtherNote = note !== undefined && note !== cart.note;
  const isNoteLeftOut = isOtherNote && cart.note !== undefined && strategy !== 'replace';
  if (isOtherNote && !isNoteLeftOut) {
    facts.push({ type: 'NoteChanged', data: { note, previousNote: cart.note ?? null, mergedFrom: from } });
  }
  if (facts.length + leftOut.length === 0 && !isNoteLeftOut) return apply();
  const data = { from, strategy, leftOut, ...(isNoteLeftOut ? { leftOutNote: note } : {}) };
  return apply({ type: 'CartMerged', data }, ...facts);
}

/** What becomes of a product that both carts have, from the user's quantity and the guest's. */
const quantityAfter: Readonly<Record<MergeStrategy, (own: number, theirs: number) => number>> = {
  sum: (own, theirs) => own + theirs,
  max: Math.max,
  keep: (own) => own,
  replace: (_own, theirs) => theirs,
};

/** A line of the user keeps its price and name. */
function changeTo(
  quantity: number,
  item: CartItem,
  line: CartItem | undefined,
  currency: string,
  mergedFrom: string,
): EventFact {
  if (line === undefined) {
    return { type: 'ItemAdded', data: { ...asLine(item), currency, quantity, previousQuantity: 0, mergedFrom } };
  }
  const previousQuantity = line.quantity;
  return { type: 'ItemQuantityChanged', data: { ...refOfLine(line), quantity, previousQuantity, mergedFrom } };
}

const leave = (line: Line, quantity: number, code: LeftOutLine['code']): LeftOutLine => ({
  ...asLine(line),
  quantity,
  code,
});
