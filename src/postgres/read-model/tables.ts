/** The tables that can be rebuilt from the log. Each comes after the tables that it references. */
export const readModelTables = ['carts', 'cart_items', 'cart_item_history'] as const;

/**
 * Splits the roots of the GiST indexes of the periods, while nobody else uses the table. Postgres (tried: 18.4) loses
 * entries of an index whose root is a leaf: if a statement scans it again after another transaction has split the root,
 * the places of the dead entries that it found before are marked as dead in another page. Rows of living entries at
 * these places are no longer found.
 */
const splitRoots = `
  insert into cart_item_history
  select '', n::text, '', 1, 0, '', to_timestamp(n), n, int4range(n, n + 1),
         tstzrange(to_timestamp(n), to_timestamp(n + 1))
  from generate_series(1, 500) as n;
  delete from cart_item_history where user_id = '';
`;

/** Creates these tables in any schema, in the same form as the migrations. A test compares both. */
export const readModelDefinition = `
  create table carts (
    user_id    text primary key,
    version    integer not null default 0,
    sequence   integer not null default 0,
    status     text not null default 'empty' check (status in ('empty', 'open', 'merged')),
    currency   text,
    item_count integer not null default 0,
    subtotal   bigint not null default 0,
    head_hash  bytea not null default decode(repeat('00', 32), 'hex'),
    updated_at timestamptz(3),
    handed_over_to text,
    note       text
  );
  create table cart_items (
    user_id       text not null references carts,
    product_id    text not null,
    name          text not null,
    quantity      integer not null check (quantity > 0),
    unit_price    bigint not null,
    added_at      timestamptz(3) not null,
    added_version integer not null,
    attributes    jsonb,
    primary key (user_id, product_id)
  );
  create table cart_item_history (
    user_id       text not null,
    product_id    text not null,
    name          text not null,
    quantity      integer not null check (quantity > 0),
    unit_price    bigint not null,
    currency      text not null,
    added_at      timestamptz(3) not null,
    added_version integer not null,
    versions      int4range not null,
    during        tstzrange not null,
    attributes    jsonb,
    constraint no_overlap exclude using gist (user_id with =, versions with &&, product_id with =)
  );
  create index cart_item_history_open on cart_item_history (user_id, product_id) where upper_inf(versions);
  create index cart_item_history_during on cart_item_history using gist (during);
  ${splitRoots}
`;
