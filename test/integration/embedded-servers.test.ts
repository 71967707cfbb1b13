import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { transform } from '@swc/core';
import { Client, Connection } from '@temporalio/client';
import { Client as PostgresClient } from 'pg';
import { loadConfig } from '../../src/config';
import { lockDataDir } from '../../src/embedded/data-dir';
import { freePort } from '../../src/embedded/ports';
import { type EmbeddedPostgres, startPostgres } from '../../src/embedded/postgres/server';
import { type EmbeddedTemporal, startTemporal } from '../../src/embedded/temporal/dev-server';
import { findTemporalCli } from '../../src/embedded/temporal/find-program';

const log = () => undefined;
let folder: string;
let compiled: string;

beforeAll(async () => {
  compiled = await compileEmbedded();
});

afterAll(() => rm(compiled, { recursive: true }));

beforeEach(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), 'cart-embedded-')));
});

afterEach(() => rm(folder, { recursive: true }));

describe('the embedded Postgres', () => {
  it.each([150, 400, 800])('starts although its first start was killed after %i ms', async (ms) => {
    const main = await startMain();
    await delay(ms);
    await kill(main);
    await withPostgres(async ({ url }) => expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]));
    expect((await readdir(folder)).filter((name) => name.includes('unfinished'))).toEqual([]);
  });

  it('is replaced where a killed main process has left one running, and its data is kept', async () => {
    const main = await startMain();
    const [url, pid] = await readyLine(main);
    await query(url!, 'create table kept as select 42 as answer');
    await kill(main);
    await withPostgres(async (replacement) => {
      expect(replacement.pid).not.toBe(Number(pid));
      expect(await query(replacement.url, 'select * from kept')).toEqual([{ answer: 42 }]);
    });
  });

  it('starts again after its processes were killed, although another process now has its old pid', async () => {
    await withPostgres(({ pid, exited }) => {
      process.kill(pid, 'SIGKILL');
      return exited;
    });
    const pidFile = path.join(folder, 'postgres/cluster/postmaster.pid');
    const rest = (await readFile(pidFile, 'utf8')).split('\n').slice(1);
    await writeFile(pidFile, [process.pid, ...rest].join('\n'));
    await withPostgres(async ({ url }) => expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]));
  });

  it('rejects a connection with a wrong password', async () => {
    await withPostgres(async ({ url }) => {
      const guessed = url.replace(/:[^:@]+@/, ':guess@');
      await expect(query(guessed, 'select 1')).rejects.toThrow('password authentication failed');
    });
  });

  it('reports that it has ended', async () => {
    await withPostgres(async ({ pid, exited }) => {
      process.kill(pid, 'SIGKILL');
      expect(await exited).toBe('was ended by SIGKILL');
    });
  });
});

describe('the data folder of a killed main process', () => {
  it('is free immediately', async () => {
    const main = await startMain();
    await readyLine(main);
    await expect(lockDataDir(folder)).rejects.toThrow(`process ${main.pid}`);
    await kill(main);
    await (await lockDataDir(folder)).release();
    await withPostgres(async () => undefined);
  });
});

describe('the embedded Temporal dev server', () => {
  it('still has its workflows after it was killed and started again on its file', async () => {
    const first = await temporal();
    await withTemporal(first, (client) => client.workflow.start('cart', { workflowId: 'kept', taskQueue: 'nobody' }));
    process.kill(first.pid, 'SIGKILL');
    await first.exited;
    const second = await temporal();
    const { status } = await withTemporal(second, (client) => client.workflow.getHandle('kept').describe());
    expect(status.name).toBe('RUNNING');
    await second.stop();
  });

  it('starts again on another port where a process takes one that only it uses', async () => {
    const grabber = createServer().listen(0, '127.0.0.1');
    await once(grabber, 'listening');
    const { port } = grabber.address() as AddressInfo;
    const chosen = [port, await freePort(), await freePort(), await freePort()];
    const server = await temporal(async () => chosen.shift()!);
    expect(chosen).toEqual([]);
    await server.stop();
    grabber.close();
  });

  it('says in one line why it does not start, and where its log is', async () => {
    const failing = temporal(() => freePort(), { dbFile: path.join(folder, 'no-such-folder', 'temporal.db') }).catch(
      (error: Error) => error.message,
    );
    await expect(failing).resolves.toMatch(/^The Temporal dev server .*temporal\.log\.$/);
  });
});

async function withPostgres(use: (postgres: EmbeddedPostgres) => Promise<unknown>): Promise<void> {
  const postgres = await startPostgres({ dataDir: path.join(folder, 'postgres'), port: await freePort(), log });
  try {
    await use(postgres);
  } finally {
    await postgres.stop();
  }
}

async function query(connectionString: string, sql: string): Promise<unknown[]> {
  const client = new PostgresClient({ connectionString });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

async function temporal(
  chooseInnerPort = () => freePort(),
  more: { readonly dbFile?: string; readonly namespace?: string } = {},
): Promise<EmbeddedTemporal> {
  const { embedded } = loadConfig();
  const cli = await findTemporalCli({ ...embedded, explicitPath: embedded.temporalCliPath, log });
  return startTemporal(
    {
      cliPath: cli.path,
      port: await freePort(),
      dbFile: path.join(folder, 'temporal.db'),
      logFile: path.join(folder, 'temporal.log'),
      namespace: 'default',
      searchAttributes: { CartStatus: 'Keyword' },
      log,
      ...more,
    },
    chooseInnerPort,
  );
}

async function withTemporal<T>({ address }: EmbeddedTemporal, use: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address });
  return use(new Client({ connection })).finally(() => connection.close());
}

/** Starts a process that starts Postgres as `npm start` does; it runs outside Jest, so its code is compiled. */
async function startMain(): Promise<ChildProcess> {
  const options = { dataDir: path.join(folder, 'postgres'), port: await freePort() };
  const script = `
    const { lockDataDir } = require('./data-dir');
    const { startPostgres } = require('./postgres/server');
    lockDataDir(${JSON.stringify(folder)})
      .then(() => startPostgres({ ...${JSON.stringify(options)}, log() {} }))
      .then(({ url, pid }) => console.log(url, pid));`;
  return spawn(process.execPath, ['-e', script], { cwd: compiled, stdio: ['ignore', 'pipe', 'inherit'] });
}

async function readyLine(main: ChildProcess): Promise<string[]> {
  const [line] = await once(main.stdout!, 'data');
  return String(line).trim().split(' ');
}

async function kill(main: ChildProcess): Promise<void> {
  main.kill('SIGKILL');
  await once(main, 'exit');
}

async function compileEmbedded(): Promise<string> {
  const sources = path.join(__dirname, '../../src/embedded');
  const target = path.join(__dirname, '../../.tmp', `embedded-${process.pid}`);
  for (const name of await readdir(sources, { recursive: true })) {
    if (!name.endsWith('.ts')) continue;
    const { code } = await transform(await readFile(path.join(sources, name), 'utf8'), {
      jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
      module: { type: 'commonjs' },
    });
    const file = path.join(target, name.replace(/\.ts$/, '.js'));
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, code);
  }
  return target;
}
