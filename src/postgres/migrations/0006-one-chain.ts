import type { Knex } from 'knex';

/**
 * One hash chain over the decisions of a cart, and one over its archived runs. It rewrites no row and locks no table for
 * long: workers give the rows that are there their hashes, in batches, beside workers that do not know of them yet.
 */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- A random salt for each user: SHA-256 of salt and user id stands for the user in hashes.
    create table cart_users (
      user_id text primary key,
      salt    bytea not null
    );
    create trigger append_only before update or delete on cart_users for each row execute function refuse_change();
    create trigger no_truncate before truncate on cart_users for each statement execute function refuse_change();

    alter table cart_commands add column hash_format smallint, add column previous_hash bytea, add column hash bytea;
    alter table cart_histories add column archive_sequence integer, add column hash_format smallint,
                               add column previous_hash bytea, add column hash bytea;
    -- Events that are written from now on have their hashes in those of their decisions.
    alter table cart_events alter column previous_hash drop not null, alter column hash drop not null;

    -- A broken chain stays parked until it is repaired; a gap only while its projection fails.
    alter table cart_forks add column is_lasting boolean not null default false;

    -- What was repaired, with the rows of before. Rows of the log can change only in a transaction that adds one for their
    -- user.
    create table cart_repairs (
      user_id        text not null,
      repaired_at    timestamptz(3) not null,
      note           jsonb not null,
      signature      bytea not null,
      old_rows       jsonb not null,
      transaction_id xid8 not null default pg_current_xact_id(),
      primary key (user_id, repaired_at)
    );
    create trigger append_only before update or delete on cart_repairs for each row execute function refuse_change();
    create trigger no_truncate before truncate on cart_repairs for each statement execute function refuse_change();

    create function allow_repair() returns trigger language plpgsql as $$
    begin
      if exists (select from cart_repairs r
                 where r.user_id = old.user_id and r.transaction_id = pg_current_xact_id()) then
        return case tg_op when 'DELETE' then old else new end;
      end if;
      raise exception '% of % is rejected: the log is append-only', tg_op, tg_table_name
        using errcode = 'restrict_violation';
    end $$;

    create function allow_first_hash() returns trigger language plpgsql as $$
    declare
      hashes text[] := array['archive_sequence', 'hash_format', 'previous_hash', 'hash'];
    begin
      if tg_table_name = 'cart_commands' and exists (
        select from cart_repairs r where r.user_id = old.user_id and r.transaction_id = pg_current_xact_id()
      ) then
        return case tg_op when 'DELETE' then old else new end;
      end if;
      if tg_op = 'UPDATE' and old.hash is null and new.hash is not null and new.previous_hash is not null
         and to_jsonb(old) - hashes = to_jsonb(new) - hashes then
        return new;
      end if;
      raise exception '% of % is rejected: the log is append-only', tg_op, tg_table_name
        using errcode = 'restrict_violation';
    end $$;
    create or replace trigger append_only before update or delete on cart_events
      for each row execute function allow_repair();
    create or replace trigger append_only before update or delete on cart_commands
      for each row execute function allow_first_hash();
    create or replace trigger append_only before update or delete on cart_histories
      for each row execute function allow_first_hash();
  `);
}
