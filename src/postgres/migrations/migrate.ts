import type { Knex } from 'knex';
import * as carts from './0001-carts';
import * as history from './0002-history';
import * as reports from './0003-reports';
import * as lineHistory from './0004-fill-line-history';
import * as settledRuns from './0005-settled-runs';
import * as oneChain from './0006-one-chain';
import * as roles from './0007-roles';
import * as splitRoots from './0008-split-roots';
import * as merge from './0009-merge';
import * as attributes from './0010-attributes';
import * as note from './0011-note';
import * as processes from './0012-processes';

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
  ['0007-roles', roles],
  ['0008-split-roots', splitRoots],
  ['0009-merge', merge],
  ['0010-attributes', attributes],
  ['0011-note', note],
  ['0012-processes', processes],
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

/**
 * Makes sure that the database has the schema of this code: the owner of its tables migrates, all others check. A read
 * replica is checked.
 * @param db as `migrate` takes it.
 * @throws Error that says what is wrong and who can mend it.
 */
export async function prepareSchema(db: Knex): Promise<void> {
  const { rows } = await db.raw(mayMigrate);
  await (rows[0].may_migrate ? migrate(db) : checkSchema(db));
}

const mayMigrate = `
  select not pg_is_in_recovery() and coalesce(
    (select pg_has_role(relowner, 'usage') from pg_class where oid = to_regclass('migrations')),
    has_schema_privilege('public', 'create')) as may_migrate`;

/** @throws Error if the database lacks a migration of this code, or has one that this code does not know. */
async function checkSchema(db: Knex): Promise<void> {
  const done = await readMigrations(db);
  const known = migrations.map(([name]) => name);
  const missing = known.filter((name) => !done.includes(name));
  if (missing.length > 0) {
    throw new Error(
      `The schema of the carts is older than this code: it lacks ${missing.join(', ')}. This user may not migrate it. ` +
        'Run `npm run migrate` as the owner of the tables, and wait until replicas have it.',
    );
  }
  const unknown = done.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new Error(
      `The schema of the carts is newer than this code: it has ${unknown.join(', ')}. Deploy newer code.`,
    );
  }
}

/** The names of the migrations that are done; none where there are no tables of the carts. */
async function readMigrations(db: Knex): Promise<string[]> {
  try {
    return (await hasSchema(db)) ? await db('migrations').orderBy('name').pluck('name') : [];
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code !== insufficientPrivilege) throw error;
    throw new Error(
      'This user of Postgres may not read the tables of the carts. Make it a member of cart_writer (worker), ' +
        'cart_sender (command API) or cart_reader (query API): see "Roles in Postgres" in docs/operations.md.',
      { cause: error },
    );
  }
}

const insufficientPrivilege = '42501';

/** Whether the database has the tables of the carts. */
export async function hasSchema(db: Knex): Promise<boolean> {
  const { rows } = await db.raw("select to_regclass('cart_histories') is not null as exists");
  return rows[0].exists;
}
