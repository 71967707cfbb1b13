import { mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadConfig } from '../src/config';
import { searchAttributeTypes } from '../src/contract/search-attributes';
import { freePort } from '../src/embedded/ports';
import { startPostgres } from '../src/embedded/postgres/server';
import { startTemporal } from '../src/embedded/temporal/dev-server';
import { findTemporalCli } from '../src/embedded/temporal/find-program';

/** Where the servers are that everybody is measured on. */
export interface Servers {
  readonly temporalAddress: string;
  readonly databaseUrl: string;
  /** The processes of those that were started here, by name. */
  readonly pids: Readonly<Record<string, number>>;
  close(): Promise<void>;
}

const log = (line: string) => console.error(line);

/**
 * A Temporal server and a Postgres as `npm start` embeds them, in a folder of their own; or those that TEMPORAL_ADDRESS and
 * DATABASE_URL name, whose database should be an empty one.
 * @param isDurable keeps what Temporal has in a file, as `npm start` does; else it is in memory, and no disk is measured.
 */
export async function openServers({ isDurable }: { readonly isDurable: boolean }): Promise<Servers> {
  const config = loadConfig();
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'cart-bench-')));
  const closers: (() => Promise<void>)[] = [];
  const pids: Record<string, number> = {};
  let { databaseUrl } = config;
  let temporalAddress = config.temporal.connection.address;
  if (databaseUrl === undefined) {
    const postgres = await startPostgres({ dataDir: path.join(folder, 'postgres'), port: await freePort(), log });
    closers.push(postgres.stop);
    pids.postgres = postgres.pid;
    databaseUrl = postgres.url;
  }
  if (!config.temporal.isExternal || temporalAddress === undefined) {
    const cli = await findTemporalCli({ ...config.embedded, explicitPath: config.embedded.temporalCliPath, log });
    const temporal = await startTemporal({
      cliPath: cli.path,
      port: await freePort(),
      ...(isDurable ? { dbFile: path.join(folder, 'temporal.db') } : {}),
      logFile: path.join(folder, 'temporal.log'),
      namespace: 'default',
      searchAttributes: searchAttributeTypes,
      log,
    });
    closers.push(temporal.stop);
    pids.temporal = temporal.pid;
    temporalAddress = temporal.address;
  }
  return {
    temporalAddress,
    databaseUrl,
    pids,
    async close() {
      for (const close of closers) await close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Linux counts processor time in hundredths of a second. */
const msPerTick = 10;

/** What the servers started here, with the processes they started, have used of the processor in milliseconds. Linux tells. */
export async function cpuOfServers({ pids }: Servers): Promise<Record<string, number>> {
  if (process.platform !== 'linux') return {};
  const used = Object.fromEntries(Object.keys(pids).map((name) => [name, 0]));
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    // One that ended just now is in what its parent has waited for.
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
    if (stat === undefined) continue;
    const [, parent, ...rest] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    // proc_pid_stat(5): utime, stime and those of children waited for are fields 14 to 17; `rest` begins with the fifth.
    const ticks = rest.slice(9, 13).reduce((sum, value) => sum + value, 0);
    const owner = Object.keys(pids).find((name) => pids[name] === Number(pid) || pids[name] === parent);
    if (owner !== undefined) used[owner]! += ticks * msPerTick;
  }
  return used;
}
