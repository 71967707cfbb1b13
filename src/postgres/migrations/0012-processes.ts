import type { Knex } from 'knex';

/**
 * What the pages of customers and operators read beside the carts: what workers and commands of the operators say about
 * themselves, rejected commands by time, and the salts, without which nobody can check a hash chain.
 */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table processes (
      name       text primary key,
      kind       text not null,
      started_at timestamptz(3) not null,
      seen_at    timestamptz(3) not null default now(),
      ended_at   timestamptz(3),
      state      jsonb not null
    );
    create index cart_commands_rejected on cart_commands (decided_at) where outcome = 'rejected';
  `);
  await db.raw(grantRoles);
  await db.raw('select grant_cart_roles()');
}

/** As migration 0007 has it, with the rights on `processes`, and for readers on `cart_users`. */
const grantRoles = `
  create or replace function grant_cart_roles() returns void language plpgsql set lock_timeout = '10s' as $$
  declare
    name text;
  begin
    foreach name in array array['cart_owner', 'cart_writer', 'cart_sender', 'cart_reader'] loop
      begin
        if to_regrole(name) is null then execute format('create role %I nologin', name); end if;
      exception
        when duplicate_object or unique_violation then null;
        when insufficient_privilege then
          raise notice 'Role % is not made: % may not create roles. docs/operations.md tells how to add it later.',
            name, current_user;
      end;
    end loop;

    if to_regrole('cart_reader') is not null then
      grant select on migrations, products, carts, cart_items, cart_item_history, cart_events, cart_commands, cart_forks,
        cart_users, processes to cart_reader;
      grant usage on schema reports to cart_reader;
      grant select on all tables in schema reports to cart_reader;
      grant execute on all functions in schema reports to cart_reader;
    end if;

    if to_regrole('cart_sender') is not null then
      grant select on migrations, carts, cart_items, cart_item_history, cart_events, cart_commands to cart_sender;
      grant select, insert, update on products to cart_sender;
      grant select, insert, update, delete on rate_limits to cart_sender;
    end if;

    -- Of a decision and of an archived run it may add the hash only, and a trigger lets it do so once. A row can be
    -- locked only by who may change a column of it, which is why it may change salts: a trigger rejects every change.
    if to_regrole('cart_writer') is not null then
      grant select on migrations to cart_writer;
      grant select, insert on cart_users, cart_commands, cart_events, cart_histories, settled_runs to cart_writer;
      grant update (salt) on cart_users to cart_writer;
      grant update (hash_format, previous_hash, hash) on cart_commands to cart_writer;
      grant update (archive_sequence, hash_format, previous_hash, hash) on cart_histories to cart_writer;
      grant select, insert, update, delete on carts, cart_items, cart_item_history, cart_forks to cart_writer;
      grant select on cart_repairs to cart_writer;
      grant select, insert, update, delete on processes to cart_writer;
    end if;

    if to_regrole('cart_owner') is not null then
      perform give_carts_to_owner();
    end if;
  end $$;

  -- Members of cart_owner can then migrate and rebuild, whoever of them did it before.
  create or replace function give_carts_to_owner() returns void language plpgsql as $$
  declare
    item text;
  begin
    -- Who made the role may join it, and only members can give it something. A superuser needs no membership.
    begin
      if not (select rolsuper from pg_roles where rolname = current_user) then
        execute format('grant cart_owner to %I', current_user);
      end if;
    exception
      when insufficient_privilege then null;
    end;
    execute format('grant create on database %I to cart_owner', current_database());
    grant usage, create on schema public to cart_owner;
    for item in
      select 'schema reports' from pg_namespace where nspname = 'reports' and nspowner <> 'cart_owner'::regrole
      union all
      (select format('table %s', oid::regclass) from pg_class
      where relnamespace = 'public'::regnamespace and relkind = 'r' and relowner <> 'cart_owner'::regrole
        and relname = any (array['carts', 'cart_items', 'cart_item_history', 'cart_users', 'cart_commands', 'cart_events',
                                 'cart_histories', 'cart_forks', 'cart_repairs', 'settled_runs', 'products',
                                 'rate_limits', 'processes', 'migrations', 'migrations_lock'])
      order by relname <> 'carts', relname)
      union all
      select format('%s reports.%I', case relkind when 'v' then 'view' else 'table' end, relname) from pg_class
      where relnamespace = 'reports'::regnamespace and relkind in ('v', 'r') and relowner <> 'cart_owner'::regrole
      union all
      select format('function %s', oid::regprocedure) from pg_proc
      where proowner <> 'cart_owner'::regrole
        and (pronamespace = 'reports'::regnamespace
             or pronamespace = 'public'::regnamespace
                and proname = any (array['refuse_change', 'allow_repair', 'allow_first_hash', 'grant_cart_roles',
                                         'give_carts_to_owner']))
    loop
      execute format('alter %s owner to cart_owner', item);
    end loop;
  exception
    when insufficient_privilege then
      raise notice 'The tables stay with their owner: % may not give them to cart_owner (%).', current_user, sqlerrm;
  end $$;`;
