import type { Knex } from 'knex';
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
 * Writes what these events, which follow on `before`, did to the lines: `cart_item_history` then tells each line's content at
 * any version and instant.
 */
export async function writeItemHistory(
  trx: Knex.Transaction,
  userId: string,
  before: Cart,
  events: readonly CartEvent[],
): Promise<void> {
  const { ended, stretches } = stretchesOf(before, events);
  if (ended.length > 0) {
    await trx.raw(
      `update cart_item_history h
       set versions = int4range(lower(h.versions), ended.version), during = tstzrange(lower(h.during), ended.at)
       from jsonb_to_recordset(:ended) as ended (product_id text, version integer, at timestamptz)
       where h.user_id = :userId and h.product_id = ended.product_id and upper_inf(h.versions)`,
      { userId, ended: JSON.stringify(ended) },
    );
  }
  if (stretches.length > 0) {
    await trx.raw(
      `insert into cart_item_history
         (user_id, product_id, name, quantity, unit_price, currency, added_at, added_version, versions, during)
       select :userId, product_id, name, quantity, unit_price, currency, added_at, added_version,
              int4range(from_version, to_version), tstzrange(from_at, to_at)
       from jsonb_to_recordset(:rows) as s (product_id text, name text, quantity integer, unit_price bigint, currency text,
              added_at timestamptz, added_version integer, from_version integer, to_version integer,
              from_at timestamptz, to_at timestamptz)`,
      { userId, rows: JSON.stringify(stretches.map(toHistoryRow)) },
    );
  }
}

/** What ended of the lines there were before, and the stretches these events began. */
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
