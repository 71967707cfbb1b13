import type { Knex } from 'knex';
import { type CartView, instant, lines } from './read-cart';

/** A point of a cart's life: after its n-th event, or after all events up to and including an instant. */
export type Moment = { readonly version: number } | { readonly at: Date };

/** A cart at a moment. */
export interface PastCart {
  /** Undefined where the cart does not have the version asked for. */
  readonly cart: CartView | undefined;
  readonly newestVersion: number;
  /** Whether no later event can change the answer. */
  readonly isFinal: boolean;
  /** Whether the moment has not come yet: not by the clock of Postgres, nor by the cart's own events. */
  readonly isFuture: boolean;
}

/** The cart as it was after its n-th event, for n = `version`; undefined where it has no such version. */
export async function readCartAtVersion(db: Knex, userId: string, version: number): Promise<CartView | undefined> {
  const [past] = await readPastCarts(db, userId, [{ version }]);
  return past!.cart;
}

/** The cart at each of the moments, in their order. One statement, so that all are told of the same log. */
export async function readPastCarts(db: Knex, userId: string, moments: readonly Moment[]): Promise<PastCart[]> {
  const statements = moments.map((moment) => ('at' in moment ? atInstant : atVersion));
  const bindings = moments.flatMap((moment) => {
    const asked = 'at' in moment ? moment.at : moment.version;
    return [asked, userId, userId, userId];
  });
  const name = `past-carts-${moments.map((moment) => Object.keys(moment)[0]).join('-')}`;
  const { rows } = await db
    .raw(statements.map((sql, n) => `select ${n} as n, ${sql}`).join(' union all '), bindings)
    .options({ name });
  const inOrder = rows.sort((row: PastCartRow, other: PastCartRow) => row.n - other.n);
  return inOrder.map(({ n: _n, newestVersion, isFinal, isFuture, ...cart }: PastCartRow) => ({
    cart: cart.version === null ? undefined : { userId, ...cart },
    newestVersion,
    isFinal,
    isFuture,
  }));
}

type PastCartRow = Omit<CartView, 'userId'> & Omit<PastCart, 'cart'> & { readonly n: number };

const cartThen = (sql: {
  version: string;
  isFinal: string;
  isFuture: string;
  asked: string;
  event: string;
}): string => `
  ${sql.version} as version, case when line.count = 0 then 'empty' else 'open' end as status, line.currency,
  line.units as "itemCount", line.value as subtotal, ${instant('event.occurred_at')} as "updatedAt", line.items,
  coalesce(carts.version, 0) as "newestVersion", ${sql.isFinal} as "isFinal", ${sql.isFuture} as "isFuture"
  from (select ${sql.asked}) as asked
  left join carts on carts.user_id = ?
  left join lateral (${sql.event}) as event on true
  cross join lateral (
    select count(*) as count, min(currency) as currency, coalesce(sum(quantity), 0) as units,
           coalesce(sum(quantity * unit_price), 0)::bigint as value, ${lines} as items
    from cart_item_history where user_id = ? and versions @> event.version
  ) as line`;

// That the event's type is asked for keeps Postgres on the primary key. Without, where most carts are short, it would take the
// index by instants, which has all else that is needed, and read it through from the cart's first event to its last.
const atVersion = cartThen({
  version: 'case when asked.version = 0 then 0 when event.type is not null then event.version end',
  isFinal: 'true',
  isFuture: 'false',
  asked: 'cast(? as integer) as version',
  event: 'select e.version, e.occurred_at, e.type from cart_events e where e.user_id = ? and e.version = asked.version',
});

// Instants never decrease with versions. So the newest event up to an instant tells the version then, and the version, unlike
// the instant, tells apart what happened within a millisecond; and once an event is later, no other can come before it.
const atInstant = cartThen({
  version: 'coalesce(event.version, 0)',
  isFinal: 'coalesce(asked.at < carts.updated_at, false)',
  isFuture: 'asked.at > greatest(now(), carts.updated_at)',
  asked: 'cast(? as timestamptz) as at',
  event: `select e.version, e.occurred_at from cart_events e where e.user_id = ? and e.occurred_at <= asked.at
          order by e.occurred_at desc, e.version desc limit 1`,
});
