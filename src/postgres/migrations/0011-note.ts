import type { Knex } from 'knex';

/** The note of a cart. The index has the events that changed one: the note of the past is looked up in them. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- What a killed rebuild of before left has tables without the column.
    drop schema if exists rebuild cascade;
    set local lock_timeout = '10s';
    alter table carts add column note text;
    create index cart_events_note on cart_events (user_id, version) where data -> 'note' is not null;
  `);
}
