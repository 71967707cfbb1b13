import type { Knex } from 'knex';
import { changesOf } from '../domain/facts';
import type { CartView } from '../http/shapes';
import { factsOf, type Product } from '../postgres/catalogue';
import { createLookUp } from '../postgres/look-up';

/** SQL that formats an instant for clients. */
export const toInstantText = (column: string) =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** SQL of the fields of a line for JSON. In tables of lines, `product_id` is the id of the line. */
export const lineJsonFields = `
  'lineId', product_id, 'productId', split_part(product_id, '!', 1), 'attributes', attributes, 'name', name,
  'quantity', quantity, 'unitPrice', unit_price`;

/** An SQL aggregate: the lines of a cart in the form that clients receive, in the order in which they were added. */
export const linesAsJson = `coalesce(
  json_agg(json_strip_nulls(json_build_object(
    ${lineJsonFields}, 'lineTotal', quantity * unit_price, 'addedAt', ${toInstantText('added_at')})) order by added_version),
  '[]')`;

/**
 * An SQL aggregate: what the catalogue says of the products with whose lines it may disagree. A limit counts all lines
 * of a product, so it is compared with all units of the cart.
 */
const changedFacts = `
  json_agg(json_strip_nulls(json_build_object(
    'productId', split_part(product_id, '!', 1), 'available', coalesce(available, false), 'unitPrice', price_now,
    'currency', currency_now, 'maxQuantity', max_quantity)))
  filter (where available is not true or price_now <> unit_price or currency_now <> carts.currency
          or carts.item_count > max_quantity)`;

// One statement, so that a cart and its items have the same version.
const selectCarts = `
  select user_id as "userId", version, status, currency, note, item_count as "itemCount", subtotal,
         ${toInstantText('updated_at')} as "updatedAt", lines.items, lines.changed
  from carts
  cross join lateral (
    select ${linesAsJson} as items, ${changedFacts} as changed
    from cart_items
    left join (select product_id as product, unit_price as price_now, currency as currency_now, max_quantity, available
               from products) as product on product = split_part(product_id, '!', 1)
    where cart_items.user_id = carts.user_id
  ) as lines
  where user_id = any(?::text[])`;

type CartRow = CartView & { readonly changed: readonly Product[] | null };

/** Puts the warnings to the lines. */
function toView({ changed, ...cart }: CartRow): CartView {
  if (changed === null) return cart;
  const facts = new Map(changed.map((product) => [product.productId, factsOf(product.productId, product)]));
  const items = cart.items.map((item) => {
    const known = facts.get(item.productId);
    const warnings = known === undefined ? [] : changesOf(item, cart.currency!, known, cart.items);
    return warnings.length === 0 ? item : { ...item, warnings };
  });
  return { ...cart, items };
}

/** Reads the current cart of a user. An unused cart is empty, at version 0. */
export type ReadCart = (userId: string) => Promise<CartView>;

/** Calls that are made at the same time share one statement. Nothing is cached. */
export function createCartReader(db: Knex): ReadCart {
  const lookUp = createLookUp(async (userIds) => {
    const { rows } = await db.raw(selectCarts, [[...userIds]]).options({ name: 'carts-now' });
    return new Map<string, CartView>(rows.map((cart: CartRow) => [cart.userId, toView(cart)]));
  });
  return async (userId) => (await lookUp(userId)) ?? { userId, ...unusedCart };
}

const unusedCart: Omit<CartView, 'userId'> = {
  version: 0,
  status: 'empty',
  currency: null,
  note: null,
  itemCount: 0,
  subtotal: 0,
  updatedAt: null,
  items: [],
};
