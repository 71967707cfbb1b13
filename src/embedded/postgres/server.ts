import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { type CommandSignature, isOtherProcess, stopOrphans } from '../servers/orphans';
import { type ServerProcess, type StopStep, startServerProcess, waitUntilReady } from '../servers/server-process';
import { postgresBinaries } from './binaries';
import { type Cluster, openCluster } from './cluster';
import { type PostgresUser, postgresUser } from './user';

/** The options of `startPostgres`. */
export interface PostgresOptions {
  /** An absolute path without symbolic links. The first start creates the folder. */
  readonly dataDir: string;
  readonly port: number;
  readonly log: (line: string) => void;
  /** Default: `<dataDir>.log`. */
  readonly logFile?: string;
  /** Settings as in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** The embedded Postgres, ready for connections from this machine with the password in its URL. */
export interface EmbeddedPostgres extends ServerProcess {
  readonly url: string;
}

const stopSteps: readonly StopStep[] = [
  ['SIGINT', 10_000],
  ['SIGQUIT', 5_000],
  ['SIGKILL', 5_000],
];

/**
 * Starts Postgres on the data folder. First stops a Postgres that a killed main process left running there.
 * @throws Error if it is not ready within a minute, or its folder belongs to another user.
 */
export async function startPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const user = await postgresUser();
  const binaries = await postgresBinaries();
  await stopOrphanedPostgres(options.dataDir, options.log);
  const initdbOptions = options.settings?.fsync === 'off' ? ['--no-sync'] : [];
  const cluster = await openCluster(options.dataDir, binaries.initdb, user, initdbOptions);
  return retryWhileOldServerEnds(async () => {
    await removeStalePidFile(cluster.folder);
    return startCluster(cluster, binaries.postgres, user, options);
  });
}

/**
 * If the server itself was killed, its connections can still run for a moment. Postgres does not start before they end.
 */
async function retryWhileOldServerEnds(start: () => Promise<EmbeddedPostgres>): Promise<EmbeddedPostgres> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    try {
      return await start();
    } catch (error) {
      const isTemporary = (error as Error).message.includes('pre-existing shared memory block');
      if (!isTemporary || Date.now() > deadline) throw error;
      await delay(250);
    }
  }
}

/**
 * Stops a Postgres that a killed main process left running on the data folder, so that its port is free again.
 * @throws Error if it belongs to another user or does not stop.
 */
export async function stopOrphanedPostgres(dataDir: string, log: (line: string) => void): Promise<void> {
  for (const pid of await stopOrphans(signatureOf(path.join(dataDir, 'cluster')), stopSteps)) {
    log(`Stopped the Postgres (process ${pid}) that an earlier start left running`);
  }
}

async function startCluster(
  cluster: Cluster,
  postgres: string,
  user: PostgresUser,
  { port, dataDir, logFile = `${dataDir}.log`, settings = {} }: PostgresOptions,
): Promise<EmbeddedPostgres> {
  const [command, ...args] = [...user.prefix, postgres, '-D', cluster.folder, ...asArguments({ ...settings, port })];
  const server = await startServerProcess({ command: command!, args, ...user.spawnIds, logFile, stopSteps });
  const url = urlOf(cluster.password, port);
  try {
    await waitUntilReady('Postgres', server, logFile, 60_000, () => answers(url));
  } catch (error) {
    await server.stop();
    throw error;
  }
  return { ...server, url };
}

const urlOf = (password: string, port: number): string => `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;

/** Returns the URL of the Postgres that another process runs on this folder and port, or undefined if there is none. */
export async function runningPostgresUrl(dataDir: string, port: number): Promise<string | undefined> {
  const password = await readFile(path.join(dataDir, 'password'), 'utf8').catch(() => undefined);
  if (password === undefined) return undefined;
  const url = urlOf(password, port);
  return (await answers(url)) ? url : undefined;
}

function asArguments(settings: Readonly<Record<string, string | number>>): string[] {
  const all = { ...settings, listen_addresses: '127.0.0.1', unix_socket_directories: '' };
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function signatureOf(folder: string): CommandSignature {
  return { option: '-D', path: folder };
}

/** After a kill -9, the old pid file remains. If another process has got that pid, Postgres does not start. */
async function removeStalePidFile(folder: string): Promise<void> {
  const pidFile = path.join(folder, 'postmaster.pid');
  const pid = Number.parseInt(await readFile(pidFile, 'utf8').catch(() => ''), 10);
  if (pid > 0 && (await isOtherProcess(pid, signatureOf(folder)))) await rm(pidFile, { force: true });
}
