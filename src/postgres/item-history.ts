import type { CartEvent, CartItem } from '../domain/events';
import { evolve } from '../domain/evolve';
import { type Cart, isSameItem } from '../domain/state';

/** A stretch of versions through which a line did not change; open-ended while it still holds. */
interface Stretch {
  readonly item: CartItem;
  readonly currency: string;
  readonly from: CartEvent;
  to?: CartEvent;
}

/**
 * What these events, which follow on `before`, did to the lines: what ended of those there were before, and the stretches
 * they began. `cart_item_history`, made of these, tells each line's content at any version and instant.
 */
export function stretchesOf(before: Cart, events: readonly CartEvent[]) {
  const ended: { product_id: string; version: number; at: string }[] = [];
  const stretches: Stretch[] = [];
  const open = new Map<string, Stretch>();
  let cart = before;
  for (const event of events) {
    const after = evolve(cart, event);
    const now = new Map(after.items.map((item) => [item.productId, item]));
    for (const item of cart.items) {
      if (isSameItem(item, now.get(item.productId))) continue;
      const stretch = open.get(item.productId);
      if (stretch) stretch.to = event;
      else ended.push({ product_id: item.productId, version: event.version, at: event.occurredAt });
      open.delete(item.productId);
    }
    const previous = new Map(cart.items.map((item) => [item.productId, item]));
    for (const item of after.items) {
      if (isSameItem(item, previous.get(item.productId))) continue;
      const stretch: Stretch = { item, currency: after.currency!, from: event };
      stretches.push(stretch);
      open.set(item.productId, stretch);
    }
    cart = after;
  }
  return { ended, stretches };
}

export const toHistoryRow = ({ item, currency, from, to }: Stretch) => ({
  product_id: item.productId,
  name: item.name,
  quantity: item.quantity,
  unit_price: item.unitPrice,
  currency,
  added_at: item.addedAt,
  added_version: item.addedVersion,
  from_version: from.version,
  to_version: to?.version ?? null,
  from_at: from.occurredAt,
  to_at: to?.occurredAt ?? null,
});
