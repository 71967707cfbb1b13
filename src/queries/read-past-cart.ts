import type { Knex } from 'knex';
import type { CartView } from '../http/shapes';
import { noteAt } from '../postgres/read-model/note';
import { linesAsJson, toInstantText } from './read-cart';

/** A point in the life of a cart: after its n-th event, or after all events up to and including an instant. */
export type PointInTime = { readonly version: number } | { readonly at: Date };

/** A cart at a point in time. */
export interface PastCart {
  /** Undefined if the cart does not have this version. */
  readonly cart: CartView | undefined;
  readonly newestVersion: number;
  /** Whether no later event can change the answer. */
  readonly isFinal: boolean;
  /** Whether the point in time is later than both the clock of Postgres and the cart's newest event. */
  readonly isFuture: boolean;
}

/** Reads the cart at each of the points, in their order. One statement, so that all carts come from one snapshot. */
export async function readPastCarts(db: Knex, userId: string, points: readonly PointInTime[]): Promise<PastCart[]> {
  const statements = points.map((point, position) =>
    db.raw('at' in point ? cartAtInstant : cartAtVersion, { ...point, userId, position }),
  );
  const name = `past-carts-${points.map((point) => ('at' in point ? 'at' : 'version')).join('-')}`;
  const union = statements.map(() => '?').join(' union all ');
  const { rows } = await db.raw(`${union} order by position`, statements).options({ name });
  return rows.map(({ position: _position, newestVersion, isFinal, isFuture, ...cart }: PastCartRow) => ({
    cart: cart.version === null ? undefined : { userId, ...cart },
    newestVersion,
    isFinal,
    isFuture,
  }));
}

type PastCartRow = Omit<CartView, 'userId' | 'version'> &
  Omit<PastCart, 'cart'> & { readonly version: number | null; readonly position: number };

// Selecting e.type makes Postgres use the primary key. Without it, if most carts are short, Postgres would choose the
// index by instants, which has all the other columns, and scan all of the cart's events in it.
const cartAtVersion = `
  select :position::integer as position,
         case when requested.version = 0 then 0 when event.type is not null then event.version end as version,
         case when event.type = 'CartHandedOver' then 'merged' when line.count = 0 then 'empty' else 'open' end as status,
         line.currency, ${noteAt('event')} as note, line.units as "itemCount", line.value as subtotal,
         ${toInstantText('event.occurred_at')} as "updatedAt", line.items,
         coalesce(carts.version, 0) as "newestVersion", true as "isFinal", false as "isFuture"
  from (select :version::integer as version) as requested
  left join carts on carts.user_id = :userId
  left join lateral (
    select e.user_id, e.version, e.occurred_at, e.type
    from cart_events e where e.user_id = :userId and e.version = requested.version
  ) as event on true
  cross join lateral (
    select count(*) as count, min(currency) as currency, coalesce(sum(quantity), 0) as units,
           coalesce(sum(quantity * unit_price), 0)::bigint as value, ${linesAsJson} as items
    from cart_item_history where user_id = :userId and versions @> event.version
  ) as line`;

// Instants never decrease from version to version. So the version at an instant is the version of the newest event up
// to that instant, and the result is final once the cart has a later event. The lines are selected by version, because
// several events can have the same instant.
const cartAtInstant = `
  select :position::integer as position, coalesce(event.version, 0) as version,
         case when event.type = 'CartHandedOver' then 'merged' when line.count = 0 then 'empty' else 'open' end as status,
         line.currency, ${noteAt('event')} as note, line.units as "itemCount", line.value as subtotal, ${toInstantText('event.occurred_at')} as "updatedAt",
         line.items, coalesce(carts.version, 0) as "newestVersion",
         coalesce(requested.at < carts.updated_at, false) as "isFinal",
         requested.at > greatest(now(), carts.updated_at) as "isFuture"
  from (select :at::timestamptz as at) as requested
  left join carts on carts.user_id = :userId
  left join lateral (
    select e.user_id, e.version, e.occurred_at, e.type
    from cart_events e where e.user_id = :userId and e.occurred_at <= requested.at
    order by e.occurred_at desc, e.version desc limit 1
  ) as event on true
  cross join lateral (
    select count(*) as count, min(currency) as currency, coalesce(sum(quantity), 0) as units,
           coalesce(sum(quantity * unit_price), 0)::bigint as value, ${linesAsJson} as items
    from cart_item_history where user_id = :userId and versions @> event.version
  ) as line`;
