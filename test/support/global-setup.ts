import { execFile, spawn } from 'node:child_process';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { loadConfig } from '../../src/config';
import { freePort } from '../../src/embedded/ports';
import { startPostgres } from '../../src/embedded/postgres/server';
import { startTemporal } from '../../src/embedded/temporal/dev-server';
import { findTemporalCli, findTestServer } from '../../src/embedded/temporal/find-program';
import { connectDatabase } from '../../src/postgres/database';
import { bundleCartWorkflow } from '../../src/worker/bundle';
import { createLogins } from './database';

/** The servers that `globalTeardown` stops; shared through `globalThis`. */
export interface TestServers {
  stop(): Promise<void>;
}

interface Server {
  readonly pid: number;
  stop(): Promise<void>;
}

const { embedded } = loadConfig();
const log = (line: string) => process.stderr.write(`${line}\n`);

/** Starts one temporary Postgres and one Temporal dev server for all test files; `process.env` has their addresses. */
export default async function globalSetup(): Promise<void> {
  let isInterrupted = false;
  const onInterrupt = () => {
    isInterrupted = true;
  };
  process.once('SIGINT', onInterrupt);
  const testServers = await startAll();
  process.off('SIGINT', onInterrupt);
  if (isInterrupted) {
    await testServers.stop();
    process.exit(130);
  }
  Object.assign(globalThis, { testServers });
}

async function startAll(): Promise<TestServers> {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'cart-tests-')));
  const [testServer, ...servers] = await Promise.allSettled([prepare(folder), postgres(folder), temporal(folder)]);
  const started = servers.filter((server) => server.status === 'fulfilled').map((server) => server.value);
  const stopWatchdog = startWatchdog(folder, started);
  const stop = async () => {
    await Promise.all(started.map((server) => server.stop()));
    stopWatchdog();
    await rm(folder, { recursive: true, force: true });
  };
  const failure = [testServer, ...servers].find((outcome) => outcome.status === 'rejected');
  if (failure === undefined) return { stop };
  await stop();
  throw failure.reason;
}

async function prepare(folder: string): Promise<void> {
  await promisify(execFile)('npm', ['run', '--silent', 'build:web'], { cwd: path.resolve(__dirname, '../..') });
  const { code } = await bundleCartWorkflow();
  process.env.TEST_WORKFLOW_BUNDLE = path.join(folder, 'workflow-bundle.js');
  await writeFile(process.env.TEST_WORKFLOW_BUNDLE, code);
  const found = await findTestServer({ ...embedded, explicitPath: embedded.testServerPath, log });
  process.env.TEST_SERVER_PATH = found.path;
}

async function postgres(folder: string): Promise<Server> {
  const server = await startPostgres({
    dataDir: path.join(folder, 'postgres'),
    port: await freePort(),
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' },
    log,
  });
  const admin = connectDatabase(server.url, { poolSize: 1, name: 'test-logins' });
  await createLogins(admin).finally(() => admin.destroy());
  process.env.TEST_DATABASE_URL = server.url;
  return server;
}

async function temporal(folder: string): Promise<Server> {
  const cli = await findTemporalCli({ ...embedded, explicitPath: embedded.temporalCliPath, log });
  process.env.TEST_TEMPORAL_CLI = cli.path;
  const server = await startTemporal({
    cliPath: cli.path,
    port: await freePort(),
    logFile: path.join(folder, 'temporal.log'),
    namespace: 'default',
    searchAttributes: { CartStatus: 'Keyword', CartItemCount: 'Int', CartUserId: 'Keyword' },
    log,
  });
  process.env.TEST_TEMPORAL_ADDRESS = server.address;
  return server;
}

/**
 * Starts a process that stops the servers when its input ends. That happens when Jest ends, also when Jest is killed.
 * @returns a function that ends this process.
 */
function startWatchdog(folder: string, servers: readonly Server[]): () => void {
  const script = 'cat >/dev/null; folder=$1; shift; kill -INT "$@"; sleep 3; kill -KILL "$@"; rm -rf "$folder"';
  const pids = servers.map((server) => String(server.pid));
  const watchdog = spawn('sh', ['-c', script, 'watchdog', folder, ...pids], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  return () => {
    watchdog.kill('SIGKILL');
    watchdog.stdin.destroy();
  };
}
