import type { Knex } from 'knex';
import * as carts from './migrations/0001-carts';
import * as history from './migrations/0002-history';
import * as reports from './migrations/0003-reports';

/** In order; a migration that has landed is never edited. */
const migrations: readonly (readonly [name: string, migration: Knex.Migration])[] = [
  ['0001-carts', carts],
  ['0002-history', history],
  ['0003-reports', reports],
];

const migrationSource: Knex.MigrationSource<(typeof migrations)[number]> = {
  getMigrations: async () => [...migrations],
  getMigrationName: ([name]) => name,
  getMigration: async ([, migration]) => migration,
};

/** Any number that no other user of the database's advisory locks takes. */
const migrationLock = 7_233_001;

/**
 * Brings the schema up to date; give it a pool of two connections that has the patience for the longest migration. Safe when several processes start at once: one migrates, the others wait for it.
 * @throws Error when the database is newer than this code, as it then does not know what the newer migrations changed.
 */
export async function migrate(db: Knex): Promise<void> {
  const config = { migrationSource, tableName: 'migrations' };
  await db.transaction(async (lock) => {
    await lock.raw('select pg_advisory_xact_lock(?)', [migrationLock]);
    // A process killed while migrating leaves knex's own lock behind; ours says that nobody else is at it.
    await db.migrate.forceFreeMigrationsLock(config);
    await db.migrate.latest(config);
  });
}
