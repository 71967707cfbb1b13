import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Knex } from 'knex';
import { Client } from 'pg';
import { migrationSource } from '../../src/postgres/migrations/migrate';
import { createDatabase, type TestDatabase } from './database';

const folder = path.resolve(__dirname, '../upgrades');

/** The numbers of the migrations after which rows were recorded, in order. */
export const earlierSchemas = readdirSync(folder)
  .filter((file) => file.endsWith('.sql'))
  .map((file) => path.basename(file, '.sql'))
  .sort();

/** A database with the tables as of the migration with this number, and the rows that the code of its time wrote. */
export async function createEarlier(schema: string): Promise<TestDatabase> {
  const database = await createDatabase({ migrated: false });
  await migrateUpTo(database.db, schema);
  // The driver and not knex, which would take question marks in the rows for bindings.
  const client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query(readFileSync(path.join(folder, `${schema}.sql`), 'utf8'));
  await client.end();
  return database;
}

/** Makes the schema as of the migration with this number. */
export async function migrateUpTo(db: Knex, schema: string): Promise<void> {
  const all = await migrationSource.getMigrations([]);
  const upTo = all.filter(([name]) => name.slice(0, 4) <= schema);
  const source = { ...migrationSource, getMigrations: async () => upTo };
  await db.migrate.latest({ migrationSource: source, tableName: 'migrations' });
}
