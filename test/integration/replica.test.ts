import { execFile } from 'node:child_process';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Knex } from 'knex';
import pino from 'pino';
import { allowEverybody } from '../../src/access/authorize';
import { freePort } from '../../src/embedded/ports';
import { type EmbeddedPostgres, startPostgres } from '../../src/embedded/postgres/server';
import { listen } from '../../src/http/app';
import { connectDatabase } from '../../src/postgres/database';
import { migrate } from '../../src/postgres/migrations/migrate';
import { project } from '../../src/postgres/projection/project';
import { prepareDatabase } from '../../src/roles/database';
import { openQueryApi } from '../../src/roles/query-api';
import { appOf } from '../../src/roles/serve';
import { add, decideAll } from '../support/cart-story';
import { migrateUpTo } from '../support/earlier-database';
import { getJson } from '../support/serve';
import { until } from '../support/until';

const run = promisify(execFile);
const log = () => {};

/** A Postgres and a replica of it that follows it, each on a port of its own. */
let folder: string;
let primary: EmbeddedPostgres;
let replica: EmbeddedPostgres;
let db: Knex;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), 'cart-replica-')));
  const [dataDir, copy] = [path.join(folder, 'primary'), path.join(folder, 'replica')];
  const port = await freePort();
  await (await startPostgres({ dataDir, port, log })).stop();
  await run('cp', ['-a', dataDir, copy]);
  await writeFile(path.join(copy, 'cluster', 'standby.signal'), '');
  primary = await startPostgres({ dataDir, port, log });
  const { username, password } = new URL(primary.url);
  replica = await startPostgres({
    dataDir: copy,
    port: await freePort(),
    settings: { primary_conninfo: `host=127.0.0.1 port=${port} user=${username} password=${password}` },
    log,
  });
  db = connectDatabase(primary.url, { poolSize: 2, name: 'primary' });
});
afterAll(async () => {
  await db?.destroy();
  await replica?.stop();
  await primary?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Resolves when the replica has all that the primary has committed. */
async function untilReplicated(): Promise<void> {
  const { rows } = await db.raw('select pg_current_wal_flush_lsn() as lsn');
  const copy = connectDatabase(replica.url, { poolSize: 1, name: 'replica' });
  try {
    await until('the replica has what was committed', async () => {
      const result = await copy.raw('select pg_last_wal_replay_lsn() >= ? as is_there', [rows[0].lsn]);
      return result.rows[0].is_there;
    });
  } finally {
    await copy.destroy();
  }
}

describe('the query API on a read-only replica', () => {
  it('does not start before the schema is there, and says what is missing', async () => {
    await expect(prepareDatabase(replica.url)).rejects.toThrow(/it lacks 0001-carts, /);
    await migrateUpTo(db, '0006');
    await untilReplicated();
    await expect(prepareDatabase(replica.url)).rejects.toThrow(/older than this code: it lacks 0007-roles, /);
  });

  it('serves, and waits for versions that come', async () => {
    await migrate(db);
    await untilReplicated();
    await prepareDatabase(replica.url);
    const logger = pino({ level: 'silent' });
    const temporal = { connection: {}, namespace: 'default', taskQueue: 'carts' };
    const role = await openQueryApi({ temporal, databaseUrl: replica.url, logger });
    const server = await listen(appOf([role], { authorize: allowEverybody, logger }), '127.0.0.1', 0);
    const url = `http://127.0.0.1:${server.port}`;
    try {
      expect((await getJson(`${url}/readyz`)).status).toBe(200);
      const waiting = getJson(`${url}/carts/alice?minVersion=2`);
      await db.transaction((trx) => project(trx, 'alice', decideAll([add('pen'), add('ink')]).decisions));
      expect(await waiting).toMatchObject({ status: 200, body: { version: 2, itemCount: 2 } });
      expect(await getJson(`${url}/carts/alice/events`)).toMatchObject({ status: 200 });
      expect(await getJson(`${url}/reports/carts`)).toMatchObject({ status: 200 });
    } finally {
      await server.close();
      await role.close();
    }
  });
});
