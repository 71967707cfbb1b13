import type { Knex } from 'knex';

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- Runs that were terminated, failed, timed out or were reset, and whose commands are all on record since. Rows may be
    -- lost: the run is then looked at once more.
    create table settled_runs (
      run_id     text primary key,
      settled_at timestamptz not null default now()
    );
  `);
}
