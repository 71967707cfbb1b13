import { mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadConfig } from '../src/config';
import { searchAttributeTypes } from '../src/contract/search-attributes';
import { freePort } from '../src/embedded/ports';
import { startPostgres } from '../src/embedded/postgres/server';
import { startTemporal } from '../src/embedded/temporal/dev-server';
import { findTemporalCli } from '../src/embedded/temporal/find-program';
import type { CleanUp } from './clean-up';

/** The Temporal server and the Postgres that all designs share. */
export interface Servers {
  /** A temporary folder. */
  readonly folder: string;
  readonly temporalAddress: string;
  readonly databaseUrl: string;
  /** The processes of the servers that were started here, by name. */
  readonly pids: Readonly<Record<string, number>>;
}

const log = (line: string) => console.error(line);

/**
 * Starts a Temporal server and a Postgres as `npm start` embeds them, in a temporary folder. Where TEMPORAL_ADDRESS or
 * DATABASE_URL is set, that server is used instead; its database should be empty.
 * @param isDurable keeps Temporal's data in a file, as `npm start` does; otherwise it is in memory, without a disk.
 */
export async function openServers(cleanUp: CleanUp, { isDurable }: { readonly isDurable: boolean }): Promise<Servers> {
  const config = loadConfig();
  const folder = await cleanUp.start(
    async () => realpath(await mkdtemp(path.join(tmpdir(), 'cart-bench-'))),
    (created) => rm(created, { recursive: true, force: true }),
  );
  const pids: Record<string, number> = {};
  let { databaseUrl } = config;
  let temporalAddress = config.temporal.connection.address;
  if (databaseUrl === undefined) {
    const postgres = await cleanUp.start(
      async () => startPostgres({ dataDir: path.join(folder, 'postgres'), port: await freePort(), log }),
      (server) => server.stop(),
    );
    pids.postgres = postgres.pid;
    databaseUrl = postgres.url;
  }
  if (!config.temporal.isExternal || temporalAddress === undefined) {
    const temporal = await cleanUp.start(
      () => startTemporalIn(folder, isDurable),
      (server) => server.stop(),
    );
    pids.temporal = temporal.pid;
    temporalAddress = temporal.address;
  }
  return { folder, temporalAddress, databaseUrl, pids };
}

async function startTemporalIn(folder: string, isDurable: boolean) {
  const { embedded } = loadConfig();
  const cli = await findTemporalCli({ ...embedded, explicitPath: embedded.temporalCliPath, log });
  return startTemporal({
    cliPath: cli.path,
    port: await freePort(),
    ...(isDurable ? { dbFile: path.join(folder, 'temporal.db') } : {}),
    logFile: path.join(folder, 'temporal.log'),
    namespace: 'default',
    searchAttributes: searchAttributeTypes,
    log,
  });
}

/** Linux counts processor time in hundredths of a second. */
const msPerTick = 10;

/**
 * The processor time in milliseconds that the servers started here and their child processes have used, by server. Only
 * Linux reports it; elsewhere the result is empty.
 */
export async function cpuOfServers({ pids }: Servers): Promise<Record<string, number>> {
  if (process.platform !== 'linux') return {};
  const used = Object.fromEntries(Object.keys(pids).map((name) => [name, 0]));
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    // The time of a process that has just ended is counted at its parent.
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
    if (stat === undefined) continue;
    const [, parent, ...rest] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    // proc_pid_stat(5): fields 14 to 17 are the times of the process and its ended children; `rest` starts at field 5.
    const ticks = rest.slice(9, 13).reduce((sum, value) => sum + value, 0);
    const owner = Object.keys(pids).find((name) => pids[name] === Number(pid) || pids[name] === parent);
    if (owner !== undefined) used[owner]! += ticks * msPerTick;
  }
  return used;
}
