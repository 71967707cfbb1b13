import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { loadConfig } from '../../src/config';
import { searchAttributeTypes } from '../../src/contract/search-attributes';
import { freePort } from '../../src/embedded/ports';
import { type EmbeddedPostgres, startPostgres } from '../../src/embedded/postgres/server';
import { type EmbeddedTemporal, startTemporal } from '../../src/embedded/temporal/dev-server';
import { findTemporalCli } from '../../src/embedded/temporal/find-program';
import { prepareDatabase } from '../../src/roles/database';
import { type Link, openLink } from './proxy';
import { type RoleProcess, startRole } from './role-process';
import { type BreakableServer, becomes, startBreakable } from './servers';
import { startWatchdog } from './watchdog';

export const roleNames = ['commands', 'queries', 'worker'] as const;
export type RoleName = (typeof roleNames)[number];
export const linkNames = [
  'commands-temporal',
  'commands-postgres',
  'queries-postgres',
  'worker-temporal',
  'worker-postgres',
] as const;
export type LinkName = (typeof linkNames)[number];

/** The whole system: two processes of each role on servers and ports of its own, with all its data in one folder. */
export interface World {
  readonly folder: string;
  readonly postgres: BreakableServer<EmbeddedPostgres>;
  readonly temporal: BreakableServer<EmbeddedTemporal>;
  readonly links: Readonly<Record<LinkName, Link>>;
  readonly roles: Readonly<Record<RoleName, readonly RoleProcess[]>>;
  readonly cliPath: string;
  /** Straight to Temporal, past every link. */
  readonly client: Client;
  /** The built operators' program. */
  readonly opsProgram: string;
  /** Resolves to whether every role is ready before the time is up. */
  untilReady(timeoutMs: number): Promise<boolean>;
  close(): Promise<void>;
}

const namespace = 'default';

export interface WorldOptions {
  /** The folder that `npm run build` fills. */
  readonly build: string;
  /** Where the processes write their logs. */
  readonly logs: string;
  readonly log: (line: string) => void;
}

export async function openWorld({ build, logs, log }: WorldOptions): Promise<World> {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'cart-torture-')));
  const watchdog = startWatchdog(folder);
  const closers: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (let next = closers.pop(); next !== undefined; next = closers.pop()) await next();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    watchdog.dismiss();
  };
  const defer = (closer: () => Promise<unknown>) => void closers.push(closer);
  try {
    const servers = await openServers(folder, logs, watchdog.watch, defer, log);
    const links = await openLinks(servers.temporalPort, servers.postgresPort, defer);
    const databaseUrl = servers.postgres.current().url;
    await prepareDatabase(databaseUrl);
    const roles = await openRoles({ build, logs, folder, links, databaseUrl, watch: watchdog.watch, defer });
    const connection = Connection.lazy({ address: servers.temporal.current().address });
    defer(() => connection.close());
    const everyRole = Object.values(roles).flat();
    const untilReady = async (timeoutMs: number) => {
      const ready = await Promise.all(everyRole.map((role) => becomes(role.isReady, timeoutMs)));
      return ready.every(Boolean);
    };
    if (!(await untilReady(120_000))) throw new Error(`The roles are not ready after two minutes; see ${logs}.`);
    const client = new Client({ connection, namespace });
    const opsProgram = path.join(build, 'src/main-ops.js');
    return { folder, ...servers, links, roles, client, opsProgram, untilReady, close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Defer = (close: () => Promise<unknown>) => void;

async function openServers(
  folder: string,
  logs: string,
  watch: (pid: number) => void,
  defer: Defer,
  log: (line: string) => void,
) {
  const { embedded } = loadConfig();
  const [postgresPort, temporalPort] = [await freePort(), await freePort()];
  const postgresFolder = path.join(folder, 'postgres');
  const postgres = await startBreakable(
    () => startPostgres({ dataDir: postgresFolder, port: postgresPort, logFile: path.join(logs, 'postgres.log'), log }),
    watch,
  );
  defer(postgres.stop);
  const cli = await findTemporalCli({ ...embedded, explicitPath: embedded.temporalCliPath, log });
  const temporal = await startBreakable(
    () =>
      startTemporal({
        cliPath: cli.path,
        port: temporalPort,
        dbFile: path.join(folder, 'temporal.db'),
        logFile: path.join(logs, 'temporal.log'),
        namespace,
        searchAttributes: searchAttributeTypes,
        // Off by default; where an operator has switched it on, people can pause a cart.
        dynamicConfig: { 'frontend.WorkflowPauseEnabled': true },
        log,
      }),
    watch,
  );
  defer(temporal.stop);
  return { postgres, temporal, postgresPort, temporalPort, cliPath: cli.path };
}

async function openLinks(temporalPort: number, postgresPort: number, defer: Defer): Promise<Record<LinkName, Link>> {
  const entries = linkNames.map(async (name) => {
    const link = await openLink(name.endsWith('temporal') ? temporalPort : postgresPort);
    defer(link.close);
    return [name, link] as const;
  });
  return Object.fromEntries(await Promise.all(entries)) as Record<LinkName, Link>;
}

async function openRoles({
  build,
  logs,
  folder,
  links,
  databaseUrl,
  watch,
  defer,
}: Pick<WorldOptions, 'build' | 'logs'> & {
  readonly folder: string;
  readonly links: Readonly<Record<LinkName, Link>>;
  readonly databaseUrl: string;
  readonly watch: (pid: number) => void;
  readonly defer: Defer;
}): Promise<Record<RoleName, readonly RoleProcess[]>> {
  const open = async (role: RoleName, number: number) => {
    const url = new URL(databaseUrl);
    url.port = String(links[`${role}-postgres`].port);
    const temporal = links[role === 'worker' ? 'worker-temporal' : 'commands-temporal'];
    const started = startRole({
      name: `${role}-${number}`,
      program: path.join(build, `src/main-${role}.js`),
      port: await freePort(),
      environment: {
        DATABASE_URL: url.href,
        TEMPORAL_ADDRESS: `127.0.0.1:${temporal.port}`,
        TEMPORAL_NAMESPACE: namespace,
        AUTH: 'off',
        LOG_LEVEL: 'warn',
      },
      mark: folder,
      logFile: path.join(logs, `${role}-${number}.log`),
      onStart: watch,
    });
    defer(started.stop);
    return started;
  };
  const both = async (role: RoleName) => [await open(role, 1), await open(role, 2)];
  return { commands: await both('commands'), queries: await both('queries'), worker: await both('worker') };
}
