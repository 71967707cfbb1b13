import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { freePort } from '../../src/embedded/ports';
import { createCatalogue } from '../../src/postgres/catalogue';
import { compile } from './compile';
import { asMemberOf, createDatabase } from './database';
import { createNamespace } from './namespace';
import { until } from './until';
import { products } from './world';

/** A role that runs as a process, as in production. */
export interface RoleProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** Sends SIGTERM. Resolves when the process has ended. */
  stop(): Promise<{ code: number | null; output: string }>;
}

/** Roles that run as processes, on their own database and namespace. */
export interface RoleProcesses {
  readonly databaseUrl: string;
  readonly namespace: string;
  readonly taskQueue: string;
  /**
   * Starts a role with its own login of Postgres, and resolves when it is ready.
   * @param main the name of its file in `src`.
   */
  start(main: RoleMain, databaseUrl?: string): Promise<RoleProcess>;
  close(): Promise<void>;
}

/** Which login of Postgres each role has. */
const groupOf = {
  'main-worker': 'cart_writer',
  'main-commands': 'cart_sender',
  'main-queries': 'cart_reader',
} as const;

type RoleMain = keyof typeof groupOf;

/**
 * @param name of a folder for the compiled roles; each test file needs its own.
 * @param variables of their environment, beside those that all need.
 */
export async function openRoleProcesses(
  name: string,
  variables: Record<string, string> = { AUTH: 'off' },
): Promise<RoleProcesses> {
  const build = compile(name);
  const database = await createDatabase();
  for (const product of products) await createCatalogue(database.db).put(product);
  const address = process.env.TEST_TEMPORAL_ADDRESS!;
  const namespace = await createNamespace(address);
  const taskQueue = `carts-${randomUUID()}`;
  const running: RoleProcess[] = [];

  async function start(main: RoleMain, databaseUrl: string): Promise<RoleProcess> {
    const port = await freePort();
    const child = spawn(process.execPath, [path.join(build, `src/${main}.js`)], {
      env: {
        ...process.env,
        PORT: String(port),
        DATABASE_URL: asMemberOf(groupOf[main], databaseUrl),
        TEMPORAL_ADDRESS: address,
        TEMPORAL_NAMESPACE: namespace,
        TEMPORAL_TASK_QUEUE: taskQueue,
        LOG_LEVEL: 'error',
        ...variables,
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

  return {
    databaseUrl: database.url,
    namespace,
    taskQueue,
    start: (main, databaseUrl = database.url) => start(main, databaseUrl),
    async close() {
      await Promise.all(running.map(({ child }) => kill(child)));
      await database.drop();
      rmSync(build, { recursive: true, force: true });
    },
  };
}

/** Also ends a process that was stopped by SIGSTOP. Resolves when it has ended. */
async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}
