import type { Knex } from 'knex';

/**
 * Builds the indexes of the periods anew, because Postgres can have lost entries of them, and splits their roots so that
 * it loses no more: src/postgres/read-model/tables.ts has the reason. Reads of the past and projections wait for it.
 */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- What a killed rebuild of before left would bring its roots with it.
    drop schema if exists rebuild cascade;
    set local lock_timeout = '10s';
    lock table cart_item_history in access exclusive mode;
    reindex table cart_item_history;
    insert into cart_item_history
    select '', n::text, '', 1, 0, '', to_timestamp(n), n, int4range(n, n + 1),
           tstzrange(to_timestamp(n), to_timestamp(n + 1))
    from generate_series(1, 500) as n;
    delete from cart_item_history where user_id = '';
  `);
}
