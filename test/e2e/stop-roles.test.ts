import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { freePort } from '../../src/embedded/ports';
import { createCatalogue } from '../../src/postgres/catalogue';
import { compile } from '../support/compile';
import { createDatabase, type TestDatabase } from '../support/database';
import { type KeptAliveAnswer, openKeptAlive, sendUntilClosed } from '../support/kept-alive';
import { openProxy } from '../support/proxy';
import { until } from '../support/until';
import { newUser, products } from '../support/world';

interface RoleProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** Sends SIGTERM. Resolves when the process has ended. */
  stop(): Promise<{ code: number | null; output: string }>;
}

let build: string;
let database: TestDatabase;
const taskQueue = `carts-${randomUUID()}`;
const running: RoleProcess[] = [];

beforeAll(async () => {
  build = compile('stop-roles');
  database = await createDatabase();
  for (const product of products) await createCatalogue(database.db).put(product);
});
afterAll(async () => {
  for (const { child } of running) child.kill('SIGKILL');
  await database.drop();
  rmSync(build, { recursive: true, force: true });
});

async function startRole(main: string, databaseUrl = database.url): Promise<RoleProcess> {
  const port = await freePort();
  const child = spawn(process.execPath, [path.join(build, `src/${main}.js`)], {
    env: {
      ...process.env,
      PORT: String(port),
      DATABASE_URL: databaseUrl,
      TEMPORAL_ADDRESS: process.env.TEST_TEMPORAL_ADDRESS,
      TEMPORAL_TASK_QUEUE: taskQueue,
      LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const url = `http://127.0.0.1:${port}`;
  const role: RoleProcess = {
    url,
    child,
    async stop() {
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      const [code] = await exit;
      return { code, output };
    },
  };
  running.push(role);
  await until(
    () => `${main} is ready\n${output}`,
    async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.ok,
  );
  return role;
}

/**
 * Starts twenty clients that send requests all the time until the server closes their connections.
 * @returns a function that returns the statuses of all answers. It fails if a request got no answer.
 */
async function startLoad(url: string, send: Parameters<typeof sendUntilClosed>[1]) {
  const answers: KeptAliveAnswer[] = [];
  const clients = Array.from({ length: 20 }, () => sendUntilClosed(url, send, (answer) => answers.push(answer)));
  const done = Promise.all(clients);
  await until('requests are answered', async () => answers.length >= 120);
  return async () => {
    await done;
    return [...new Set(answers.map(({ status }) => status))].sort();
  };
}

const addPen: Parameters<typeof sendUntilClosed>[1] = (client) =>
  client.send('POST', `/carts/${newUser()}/items`, { body: { productId: 'pen' }, prefer: 'wait=30' });

describe('SIGTERM', () => {
  it('ends the worker, then the command API, under load, with code 0', async () => {
    const [commands, worker] = await Promise.all([startRole('main-commands'), startRole('main-worker')]);
    const statuses = await startLoad(commands.url, addPen);
    const stopped = await worker.stop();
    expect(stopped).toMatchObject({ code: 0, output: 'SIGTERM: stopping\n' });
    // Without a worker, every client waits for the outcome of its command.
    const stoppedCommands = await commands.stop();
    expect(stoppedCommands).toMatchObject({ code: 0, output: 'SIGTERM: stopping\n' });
    expect(await statuses()).toEqual([200, 202]);
  });

  it('ends the query API under load, with code 0, and an idle and a half request do not keep it', async () => {
    const queries = await startRole('main-queries');
    const idle = openKeptAlive(queries.url);
    await idle.send('GET', '/livez');
    const half = connect(Number(new URL(queries.url).port), '127.0.0.1', () => half.write('GET / HTTP/1.1\r\nX-Half'));
    half.on('error', () => undefined);
    // After 120 answers, each of the 20 clients waits for a version.
    const statuses = await startLoad(queries.url, (client, index) =>
      client.send('GET', `/carts/${newUser()}${index < 6 ? '' : '?minVersion=1'}`),
    );
    const stopped = await queries.stop();
    expect(stopped).toMatchObject({ code: 0, output: 'SIGTERM: stopping\n' });
    expect(await statuses()).toEqual([200, 503]);
    half.destroy();
    idle.close();
  });

  it('ends the roles with code 0 while Postgres does not answer', async () => {
    const postgres = new URL(database.url);
    const proxy = await openProxy(postgres.hostname, Number(postgres.port));
    const proxiedUrl = Object.assign(new URL(database.url), { port: String(proxy.port) }).href;
    const roles = await Promise.all(['main-commands', 'main-worker'].map((main) => startRole(main, proxiedUrl)));
    const statuses = await startLoad(roles[0]!.url, addPen);
    proxy.set('swallow');
    for (const stopped of await Promise.all(roles.map((role) => role.stop()))) {
      expect(stopped).toMatchObject({ code: 0 });
    }
    expect(await statuses()).toEqual([200, 202]);
    await proxy.close();
  });
});
