import path from 'node:path';
import type { Config } from '../config';
import { searchAttributeTypes } from '../contract/search-attributes';
import { lockDataDir } from './data-dir';
import { assertPortFree } from './ports';
import { startPostgres, stopOrphanedPostgres } from './postgres/server';
import { startTemporal, stopOrphanedTemporal } from './temporal/dev-server';
import { findTemporalCli } from './temporal/find-program';

/** Closes something, in reverse order, when the process ends. */
type Defer = (close: () => Promise<unknown>) => void;

export interface Servers {
  readonly temporal: Config['temporal'];
  readonly databaseUrl: string;
  /** The Web UI, where Temporal is embedded. */
  readonly uiUrl: string | undefined;
}

/**
 * What the cart runs on: Temporal and Postgres as configured, and each that is not configured embedded, with its data in
 * the data folder. What a killed start left running is stopped first. Should an embedded server end, so does the process.
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

/** As Promise.all, but waits for all of them, so that what did start is known before the failure is told. */
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
  defer(endWith('Temporal', server));
  return { temporal: { ...temporal, connection: { address: server.address } }, uiUrl: server.uiUrl };
}

async function embedPostgres({ embedded }: Config, dataDir: string, defer: Defer): Promise<string> {
  const folder = path.join(dataDir, 'postgres');
  await stopOrphanedPostgres(folder, log);
  await assertPortFree('POSTGRES_PORT', embedded.postgresPort);
  const server = await startPostgres({ dataDir: folder, port: embedded.postgresPort, log });
  defer(endWith('Postgres', server));
  return server.url;
}

/** Ends the process when the server ends by itself. @returns how to stop the server. */
function endWith(name: string, server: { readonly exited: Promise<unknown>; stop(): Promise<void> }) {
  let isStopping = false;
  void server.exited.then((how) => {
    if (isStopping) return;
    throw new Error(`The embedded ${name} ended by itself (${how}). Start again; nothing that was accepted is lost.`);
  });
  return async () => {
    isStopping = true;
    await server.stop();
  };
}
