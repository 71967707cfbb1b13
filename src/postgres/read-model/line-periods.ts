import type { CartEvent, CartItem } from '../../domain/events';
import { evolve } from '../../domain/evolve';
import { lineIdOf } from '../../domain/lines';
import { type Cart, isSameItem } from '../../domain/state';

/** The period in which a line did not change: from one event until another event, or until now. */
export interface LinePeriod {
  readonly item: CartItem;
  readonly currency: string;
  readonly from: CartEvent;
  to?: CartEvent;
}

/** The end of a period that started before the folded events. */
export interface PeriodEnd {
  readonly lineId: string;
  readonly at: CartEvent;
}

/** The cart after some events, and the periods that these events ended and started. */
export interface FoldedEvents {
  readonly after: Cart;
  readonly ended: readonly PeriodEnd[];
  readonly begun: readonly LinePeriod[];
}

/** Folds events onto the cart `before` them, and collects the periods of its lines. */
export function foldEvents(before: Cart, events: readonly CartEvent[]): FoldedEvents {
  const ended: PeriodEnd[] = [];
  const begun: LinePeriod[] = [];
  const open = new Map<string, LinePeriod>();
  let cart = before;
  for (const event of events) {
    const after = evolve(cart, event);
    for (const lineId of changedItems(cart.items, after.items).map(lineIdOf)) {
      const period = open.get(lineId);
      if (period) period.to = event;
      else ended.push({ lineId, at: event });
      open.delete(lineId);
    }
    for (const item of changedItems(after.items, cart.items)) {
      const period: LinePeriod = { item, currency: after.currency!, from: event };
      begun.push(period);
      open.set(lineIdOf(item), period);
    }
    cart = after;
  }
  return { after: cart, ended, begun };
}

/** Returns the items that are not in `others`, or are different there. */
function changedItems(items: readonly CartItem[], others: readonly CartItem[]): readonly CartItem[] {
  const byId = new Map(others.map((item) => [lineIdOf(item), item]));
  return items.filter((item) => !isSameItem(item, byId.get(lineIdOf(item))));
}
