import type { Knex } from 'knex';
import * as carts from './0001-carts';
import * as history from './0002-history';
import * as reports from './0003-reports';
import * as lineHistory from './0004-fill-line-history';

interface Migration {
  up(db: Knex): Promise<void>;
}

/** In order; a migration that has landed is never edited. */
const migrations: readonly (readonly [name: string, migration: Migration])[] = [
  ['0001-carts', carts],
  ['0002-history', history],
  ['0003-reports', reports],
  ['0004-fill-line-history', lineHistory],
];

/** Knex asks for one. Going back would drop the append-only log. */
async function refuseDown(): Promise<never> {
  throw new Error('A migration is never taken back: restore a backup, or write a new migration.');
}

export const migrationSource: Knex.MigrationSource<(typeof migrations)[number]> = {
  getMigrations: async () => [...migrations],
  getMigrationName: ([name]) => name,
  getMigration: async ([, { up }]) => ({ up, down: refuseDown }),
};

/** Any number that no other user of the database's advisory locks takes. */
const migrationLock = 7_233_001;

/**
 * Brings the schema up to date. Where several processes start at once, one migrates and the others wait for it.
 * @param db a pool of two connections that has the patience for the longest migration.
 * @throws Error when the database is newer than this code, which then does not know what the newer migrations changed.
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

/** Whether the database has the tables of the carts. */
export async function hasSchema(db: Knex): Promise<boolean> {
  const { rows } = await db.raw("select to_regclass('cart_histories') is not null as exists");
  return rows[0].exists;
}
