import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import { connectDatabase } from '../../src/postgres/database';
import { migrate } from '../../src/postgres/migrations/migrate';
import { until } from './until';

export interface TestDatabase {
  readonly url: string;
  readonly db: Knex;
  /** @throws Error naming the connections that are still open. */
  drop(): Promise<void>;
}

const adminUrl = () => process.env.TEST_DATABASE_URL!;

/** The groups that the migration makes, and of each a login of the tests. */
export const groups = ['cart_owner', 'cart_writer', 'cart_sender', 'cart_reader'] as const;

export type Group = (typeof groups)[number];

const loginOf = (group: Group) => `test_${group}`;
const passwordOf = (group: Group) => `password-of-${group}`;

/** Creates the logins in a cluster, and the groups, as an administrator does before the first deployment. */
export async function createLogins(admin: Knex): Promise<void> {
  for (const group of groups) {
    await admin.raw('create role ?? nologin', [group]);
    await admin.raw(`create role ?? login password '${passwordOf(group)}' in role ??`, [loginOf(group), group]);
  }
}

/** The URL with which a member of the group connects. */
export const asMemberOf = (group: Group, url: string): string =>
  Object.assign(new URL(url), { username: loginOf(group), password: passwordOf(group) }).href;

/** Creates a database for one test file, migrated by default. Drop it after the tests. */
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
      await asAdmin(async (admin) => {
        try {
          await untilUnused(admin, name);
        } finally {
          await admin.raw(`drop database ${name} with (force)`);
        }
      });
    },
  };
}

/** Waits longer than a query may take, because Postgres notices a closed connection only when its query has ended. */
async function untilUnused(admin: Knex, name: string): Promise<void> {
  let left: { application_name: string; state: string }[] = [];
  const describe = () => left.map(({ application_name, state }) => `"${application_name}" (${state})`).join(', ');
  await until(
    () => `no connection to the database is left, not ${describe()}`,
    async () => {
      left = await admin('pg_stat_activity')
        .select('application_name', 'state')
        .where({ datname: name, backend_type: 'client backend' });
      return left.length === 0;
    },
    10_000,
  );
}

async function asAdmin(task: (admin: Knex) => Promise<unknown>): Promise<void> {
  const admin = connectDatabase(adminUrl(), { poolSize: 1, name: 'test-admin' });
  try {
    await task(admin);
  } finally {
    await admin.destroy();
  }
}
