import type { Knex } from 'knex';

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create extension if not exists btree_gist;

    -- Each line of each cart: what it held, from which version up to which (exclusive), from when until when.
    -- \`during\` is empty where two events fell into the same millisecond: the line then held at no instant.
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
      constraint no_overlap exclude using gist (user_id with =, versions with &&, product_id with =)
    );
    create index cart_item_history_open on cart_item_history (user_id, product_id) where upper_inf(versions);
    create index cart_item_history_during on cart_item_history using gist (during);

    create index cart_events_instant on cart_events (user_id, occurred_at desc, version desc);
    create index cart_events_occurred on cart_events (occurred_at);

    -- Closed runs' histories as Temporal stored them: History messages in protobuf, compressed with gzip.
    create table cart_histories (
      run_id          text primary key,
      user_id         text not null,
      workflow_id     text not null,
      previous_run_id text,
      started_at      timestamptz(3) not null,
      closed_at       timestamptz(3) not null,
      closed_as       text not null,
      event_count     integer not null,
      history         bytea not null,
      sha256          bytea not null,
      archived_at     timestamptz not null default now()
    );
    create index cart_histories_user on cart_histories (user_id, started_at);
    create trigger append_only before update or delete on cart_histories for each row execute function refuse_change();
    create trigger no_truncate before truncate on cart_histories for each statement execute function refuse_change();

    -- Carts whose workflow and whose log in Postgres disagree. Their projection waits for a person.
    create table cart_forks (
      user_id     text primary key,
      detected_at timestamptz not null default now(),
      seen_at     timestamptz not null default now(),
      run_id      text not null,
      message     text not null
    );
  `);
}
