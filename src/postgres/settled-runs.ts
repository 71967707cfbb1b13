import type { Knex } from 'knex';

/** The migration that creates the table of this file. */
const migration = '0005-settled-runs';

/**
 * When this database got the table of settled runs. Runs that ended before are left alone: the code of that time did
 * not keep what is needed to know which of their commands took effect.
 */
export async function settledSince(db: Knex): Promise<Date> {
  const row = await db('migrations').where({ name: migration }).first('migration_time');
  return row.migration_time;
}

/** Returns those of these runs that are settled. */
export async function findSettled(db: Knex, runIds: readonly string[]): Promise<Set<string>> {
  return new Set(await db('settled_runs').whereIn('run_id', runIds).pluck('run_id'));
}

/** Stores that every command that this ended run received is on record. */
export async function markSettled(db: Knex, runId: string): Promise<void> {
  await db('settled_runs').insert({ run_id: runId }).onConflict('run_id').ignore();
}
