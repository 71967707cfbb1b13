import { once } from 'node:events';
import { connect } from 'node:net';
import { Connection } from '@temporalio/client';
import { assertPortFree, freePort } from '../ports';
import { type CommandSignature, stopOrphans } from '../servers/orphans';
import {
  type ServerProcess,
  ServerStartError,
  type StopStep,
  startServerProcess,
  waitUntilReady,
} from '../servers/server-process';

/** The types of search attributes that a dev server can register. */
export type SearchAttributeTypeName = 'Text' | 'Keyword' | 'Int' | 'Double' | 'Bool' | 'Datetime' | 'KeywordList';

/** The options of `startTemporal`. */
export interface TemporalOptions {
  /** The Temporal CLI, from `findTemporalCli`. */
  readonly cliPath: string;
  readonly port: number;
  /** If undefined, there is no Web UI. */
  readonly uiPort?: number;
  /** An absolute path without symbolic links. If undefined, the data is only in memory. */
  readonly dbFile?: string;
  readonly logFile: string;
  readonly namespace: string;
  readonly searchAttributes: Readonly<Record<string, SearchAttributeTypeName>>;
  readonly dynamicConfig?: Readonly<Record<string, string | number | boolean>>;
  readonly log: (line: string) => void;
}

/** The embedded Temporal dev server, ready and with its search attributes registered. */
export interface EmbeddedTemporal extends ServerProcess {
  readonly address: string;
  readonly uiUrl: string | undefined;
}

const stopSteps: readonly StopStep[] = [
  ['SIGTERM', 5_000],
  ['SIGKILL', 5_000],
];

const startsAtMost = 5;

/** Settings with which commands are fast, and carts soon go on elsewhere. docker-compose.yml has the same. */
export const serverSettings = {
  // A worker replays a run in about 0.6 ms per event. With the default of 4,096 events, a busy worker can take longer
  // than a workflow task may.
  'limit.historyCount.suggestContinueAsNew': 1_000,
  // A worker that stops gets its open polls back. Else the server can answer one of them with a task that is then lost
  // until it times out.
  'frontend.enableCancelWorkerPollsOnShutdown': true,
  // By default a shard looks for new tasks at most 20 times a second. All carts of this server share one shard, so a
  // command would wait for its turn.
  'history.transferProcessorMaxPollRPS': 2_000,
  // A run whose workflow tasks fail is marked, so that one that cannot be replayed since a pause is soon found.
  'system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute': 2,
};

/**
 * Starts the dev server. First stops a dev server that a killed main process left running on the same file. It
 * listens on more ports than those that are named; where another process takes one of these first, it is started
 * again.
 * @param chooseInnerPort chooses the ports that are not named.
 * @throws Error that says in one sentence why it did not start within 30 seconds, and where its log is.
 */
export async function startTemporal(
  options: TemporalOptions,
  chooseInnerPort: () => Promise<number> = freePort,
): Promise<EmbeddedTemporal> {
  const { dbFile, port, uiPort } = options;
  if (dbFile !== undefined) await stopOrphanedTemporal(dbFile, options.log);
  for (let start = 1; ; start += 1) {
    const inner = { httpPort: await chooseInnerPort(), metricsPort: await chooseInnerPort() };
    try {
      return await startOnce(options, inner);
    } catch (error) {
      const isPortLost = error instanceof ServerStartError && /address already in use/i.test(error.reason);
      if (!isPortLost || start === startsAtMost) throw error;
      await assertPortFree('TEMPORAL_PORT', port);
      if (uiPort !== undefined) await assertPortFree('TEMPORAL_UI_PORT', uiPort);
    }
  }
}

/** The ports that nobody but the dev server itself uses. */
interface InnerPorts {
  readonly httpPort: number;
  readonly metricsPort: number;
}

async function startOnce(options: TemporalOptions, inner: InnerPorts): Promise<EmbeddedTemporal> {
  const { cliPath, logFile, port, uiPort } = options;
  const args = argumentsOf(options, inner);
  const server = await startServerProcess({ command: cliPath, args, logFile, stopSteps });
  try {
    await waitUntilReady('The Temporal dev server', server, logFile, 30_000, () => answers(options));
  } catch (error) {
    await server.stop();
    throw error;
  }
  const uiUrl = uiPort === undefined ? undefined : `http://127.0.0.1:${uiPort}`;
  return { ...server, address: `127.0.0.1:${port}`, uiUrl };
}

/**
 * Stops a dev server that a killed main process left running on the file, so that its ports are free again.
 * @throws Error if it belongs to another user or does not stop.
 */
export async function stopOrphanedTemporal(dbFile: string, log: (line: string) => void): Promise<void> {
  for (const pid of await stopOrphans(signatureOf(dbFile), stopSteps)) {
    log(`Stopped the Temporal dev server (process ${pid}) that an earlier start left running`);
  }
}

function argumentsOf(
  { port, uiPort, dbFile, namespace, ...options }: TemporalOptions,
  { httpPort, metricsPort }: InnerPorts,
): string[] {
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--log-level', 'warn'],
    ...['--namespace', namespace, '--http-port', String(httpPort), '--metrics-port', String(metricsPort)],
    ...(uiPort === undefined ? ['--headless'] : ['--ui-port', String(uiPort)]),
    ...(dbFile === undefined ? [] : [...databaseArguments(dbFile)]),
    ...repeatOption('--search-attribute', options.searchAttributes),
    ...repeatOption(
      '--dynamic-config-value',
      mapValues({ ...serverSettings, ...options.dynamicConfig }, JSON.stringify),
    ),
  ];
}

/** Every transaction is on disk before the server answers, so a kill or a power cut loses none. */
function databaseArguments(dbFile: string): string[] {
  const { option, path } = signatureOf(dbFile);
  return [option, path, '--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=full'];
}

function signatureOf(dbFile: string): CommandSignature {
  return { option: '--db-filename', path: dbFile };
}

function repeatOption(option: string, values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => [option, `${name}=${value}`]);
}

function mapValues<T>(values: Readonly<Record<string, T>>, map: (value: T) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]));
}

async function answers({ port, namespace, searchAttributes }: TemporalOptions): Promise<boolean> {
  if (!(await acceptsConnections(port))) return false;
  try {
    const connection = await Connection.connect({ address: `127.0.0.1:${port}`, connectTimeout: 2_000 });
    return await connection
      .withDeadline(Date.now() + 2_000, () => hasAttributes(connection, namespace, searchAttributes))
      .finally(() => connection.close());
  } catch {
    return false;
  }
}

async function hasAttributes(connection: Connection, namespace: string, wanted: object): Promise<boolean> {
  await connection.workflowService.describeNamespace({ namespace });
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  return Object.keys(wanted).every((name) => name in customAttributes);
}

async function acceptsConnections(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const isAccepted = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isAccepted;
}
