import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import { connectDatabase } from '../../src/postgres/database';
import { migrate } from '../../src/postgres/migrations/migrate';

export interface TestDatabase {
  readonly url: string;
  readonly db: Knex;
  drop(): Promise<void>;
}

const adminUrl = () => process.env.TEST_DATABASE_URL!;

/** A database of its own for one test file; migrated unless told otherwise. Drop it at the end. */
export async function createDatabase(options: { migrated: boolean } = { migrated: true }): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asAdmin((admin) => admin.raw(`create database ${name}`));
  const url = Object.assign(new URL(adminUrl()), { pathname: `/${name}` }).href;
  const db = connectDatabase(url, { poolSize: 8, name: 'test' });
  if (options.migrated) await migrate(db);
  return {
    url,
    db,
    async drop() {
      await db.destroy();
      await asAdmin((admin) => admin.raw(`drop database ${name} with (force)`));
    },
  };
}

async function asAdmin(task: (admin: Knex) => Promise<unknown>): Promise<void> {
  const admin = connectDatabase(adminUrl(), { poolSize: 1, name: 'test-admin' });
  try {
    await task(admin);
  } finally {
    await admin.destroy();
  }
}
