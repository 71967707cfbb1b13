import type { Knex } from 'knex';
import * as carts from './0001-carts';
import * as history from './0002-history';
import * as reports from './0003-reports';
import * as lineHistory from './0004-fill-line-history';
import * as settledRuns from './0005-settled-runs';
import * as oneChain from './0006-one-chain';

interface Migration {
  up(db: Knex): Promise<void>;
}

/** The migrations in order. Never edit a migration that has been released. */
const migrations: readonly (readonly [name: string, migration: Migration])[] = [
  ['0001-carts', carts],
  ['0002-history', history],
  ['0003-reports', reports],
  ['0004-fill-line-history', lineHistory],
  ['0005-settled-runs', settledRuns],
  ['0006-one-chain', oneChain],
];

/** Knex needs such a function. A migration cannot be undone, because that would drop the append-only log. */
async function rejectDown(): Promise<never> {
  throw new Error('A migration cannot be undone: restore a backup, or write a new migration.');
}

export const migrationSource: Knex.MigrationSource<(typeof migrations)[number]> = {
  getMigrations: async () => [...migrations],
  getMigrationName: ([name]) => name,
  getMigration: async ([, { up }]) => ({ up, down: rejectDown }),
};

/** A number that nothing else in the database uses for an advisory lock. */
const migrationLock = 7_233_001;

/**
 * Migrates the schema to the newest version. If several processes start together, one migrates and the others wait.
 * @param db a pool of two connections, whose query timeout is longer than any migration.
 * @throws Error if the database has migrations that this code does not know.
 */
export async function migrate(db: Knex): Promise<void> {
  const config = { migrationSource, tableName: 'migrations' };
  await db.transaction(async (lock) => {
    await lock.raw('select pg_advisory_xact_lock(?)', [migrationLock]);
    // A process that was killed while migrating leaves knex's lock locked. The advisory lock makes it safe to free it.
    await db.migrate.forceFreeMigrationsLock(config);
    await db.migrate.latest(config);
  });
}

/** Whether the database has the tables of the carts. */
export async function hasSchema(db: Knex): Promise<boolean> {
  const { rows } = await db.raw("select to_regclass('cart_histories') is not null as exists");
  return rows[0].exists;
}
