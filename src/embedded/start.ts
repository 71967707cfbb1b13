import path from 'node:path';
import type { Config } from '../config';
import { searchAttributeTypes } from '../contract/search-attributes';
import { lockDataDir } from './data-dir';
import { assertPortFree } from './ports';
import { startPostgres, stopOrphanedPostgres } from './postgres/server';
import { startTemporal, stopOrphanedTemporal } from './temporal/dev-server';
import { findTemporalCli } from './temporal/find-program';

/** Registers what to close when the process ends. The last one registered is closed first. */
type Defer = (close: () => Promise<unknown>) => void;

export interface Servers {
  readonly temporal: Config['temporal'];
  readonly databaseUrl: string;
  /** The address of the Web UI, if Temporal is embedded. */
  readonly uiUrl: string | undefined;
}

/**
 * Returns the configured Temporal and Postgres. Starts an embedded server for each that is not configured, with its
 * data in the data folder. First stops servers that a killed process left running. If an embedded server ends, it ends
 * the process.
 */
export async function startServers(config: Config, defer: Defer): Promise<Servers> {
  const { embedded, temporal, databaseUrl } = config;
  if (temporal.isExternal && databaseUrl !== undefined) return { temporal, databaseUrl, uiUrl: undefined };
  const lock = await lockDataDir(embedded.dataDir);
  defer(lock.release);
  const [ownTemporal, ownUrl] = await allOrThrow([
    temporal.isExternal ? { temporal, uiUrl: undefined } : embedTemporal(config, lock.path, defer),
    databaseUrl ?? embedPostgres(config, lock.path, defer),
  ]);
  return { ...ownTemporal, databaseUrl: ownUrl };
}

/** Like Promise.all, but rejects only after all tasks have ended, so that the started servers can be stopped. */
async function allOrThrow<T extends readonly unknown[]>(
  tasks: readonly [...T],
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(tasks);
  return Promise.all(tasks);
}

const log = (line: string) => console.error(line);

async function embedTemporal({ embedded, temporal }: Config, dataDir: string, defer: Defer) {
  const dbFile = path.join(dataDir, 'temporal.db');
  await stopOrphanedTemporal(dbFile, log);
  await assertPortFree('TEMPORAL_PORT', embedded.temporalPort);
  await assertPortFree('TEMPORAL_UI_PORT', embedded.temporalUiPort);
  const cli = await findTemporalCli({ ...embedded, explicitPath: embedded.temporalCliPath, log });
  const server = await startTemporal({
    cliPath: cli.path,
    port: embedded.temporalPort,
    uiPort: embedded.temporalUiPort,
    dbFile,
    logFile: path.join(dataDir, 'temporal.log'),
    namespace: temporal.namespace,
    searchAttributes: searchAttributeTypes,
    log,
  });
  defer(endProcessWith('Temporal', server));
  return { temporal: { ...temporal, connection: { address: server.address } }, uiUrl: server.uiUrl };
}

async function embedPostgres({ embedded }: Config, dataDir: string, defer: Defer): Promise<string> {
  const folder = path.join(dataDir, 'postgres');
  await stopOrphanedPostgres(folder, log);
  await assertPortFree('POSTGRES_PORT', embedded.postgresPort);
  const server = await startPostgres({ dataDir: folder, port: embedded.postgresPort, log });
  defer(endProcessWith('Postgres', server));
  return server.url;
}

/** Ends the process if the server ends unexpectedly. @returns a function that stops the server. */
function endProcessWith(name: string, server: { readonly exited: Promise<unknown>; stop(): Promise<void> }) {
  let isStopping = false;
  void server.exited.then((how) => {
    if (isStopping) return;
    throw new Error(`The embedded ${name} ended unexpectedly (${how}). Start again: no accepted command is lost.`);
  });
  return async () => {
    isStopping = true;
    await server.stop();
  };
}
