import type { Knex } from 'knex';

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table products (
      product_id   text primary key,
      name         text not null,
      unit_price   bigint not null check (unit_price >= 0),
      currency     text not null check (currency ~ '^[A-Z]{3}$'),
      max_quantity integer check (max_quantity > 0),
      available    boolean not null default true
    );

    -- The log's copy: one row a decision, one row an event.
    create table cart_commands (
      user_id          text not null,
      sequence         integer not null,
      command_id       text not null,
      type             text not null,
      actor            text not null,
      issued_at        timestamptz(3) not null,
      decided_at       timestamptz(3) not null,
      run_id           text not null,
      expected_version bigint,
      data             jsonb not null,
      outcome          text not null check (outcome in ('applied', 'rejected')),
      code             text,
      reason           text,
      primary key (user_id, sequence),
      unique (user_id, command_id)
    );
    create table cart_events (
      user_id       text not null,
      version       integer not null,
      sequence      integer not null,
      type          text not null,
      data          jsonb not null,
      command_id    text not null,
      actor         text not null,
      occurred_at   timestamptz(3) not null,
      previous_hash bytea not null,
      hash          bytea not null,
      primary key (user_id, version),
      foreign key (user_id, sequence) references cart_commands
    );
    create index cart_events_sequence on cart_events (user_id, sequence);

    create function refuse_change() returns trigger language plpgsql as $$
    begin
      raise exception '% of % is refused: the log is append-only', tg_op, tg_table_name
        using errcode = 'restrict_violation';
    end $$;
    create trigger append_only before update or delete on cart_commands for each row execute function refuse_change();
    create trigger append_only before update or delete on cart_events for each row execute function refuse_change();
    create trigger no_truncate before truncate on cart_commands for each statement execute function refuse_change();
    create trigger no_truncate before truncate on cart_events for each statement execute function refuse_change();

    -- The read model.
    create table carts (
      user_id    text primary key,
      version    integer not null default 0,
      sequence   integer not null default 0,
      status     text not null default 'empty' check (status in ('empty', 'open')),
      currency   text,
      item_count integer not null default 0,
      subtotal   bigint not null default 0,
      head_hash  bytea not null default decode(repeat('00', 32), 'hex'),
      updated_at timestamptz(3)
    );
    create table cart_items (
      user_id       text not null references carts,
      product_id    text not null,
      name          text not null,
      quantity      integer not null check (quantity > 0),
      unit_price    bigint not null,
      added_at      timestamptz(3) not null,
      added_version integer not null,
      primary key (user_id, product_id)
    );
  `);
}
