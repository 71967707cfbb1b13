import { spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Pool } from 'pg';
import { freePort } from '../../src/embedded/ports';
import type { ChildOptions } from '../children';
import { toCommand } from '../lines';
import { until } from '../measure';
import { type Decided, decideNext, nothingDecided, writeRows } from './rows';
import type { LineCommand } from './tutorial';

/** What the handler uses of the SDK's context. The SDK's own type is that of an ES module, which this file is not. */
interface CartContext {
  readonly key: string;
  readonly rand: { uuidv4(): string };
  get(name: 'decided'): Promise<Decided | null>;
  set(name: 'decided', decided: Decided): void;
  run(name: string, action: () => Promise<void>): Promise<void>;
}

/**
 * A cart made with Restate: each cart is a virtual object, whose state Restate keeps. Its handler decides a command and
 * writes the rows in a durable step. Restate's server is started here, with its data in a file and each write synced.
 * @returns the port at which Restate takes requests: `/cart/{userId}/command`, or `/cart/{userId}/command/send`.
 */
export async function openRestate({ databaseUrl }: ChildOptions): Promise<{ port: number }> {
  const pool = new Pool({ connectionString: databaseUrl, max: 10 });
  addWithResolvers();
  const { object, serve } = await import('@restatedev/restate-sdk');
  const cart = object({
    name: 'cart',
    handlers: {
      async command(context: CartContext, line: LineCommand): Promise<string> {
        const before = (await context.get('decided')) ?? nothingDecided;
        const command = toCommand(context.key, line, context.rand.uuidv4());
        const decided = decideNext(before, command);
        await context.run('write', () => writeRows(pool, context.key, command, decided));
        context.set('decided', decided);
        return decided.outcome;
      },
    },
  });
  const servicePort = await serve({ port: await freePort(), services: [cart], logger: () => undefined });
  const ports = { ingress: await freePort(), admin: await freePort(), node: await freePort() };
  await startServer(ports);
  const deployments = `http://127.0.0.1:${ports.admin}/deployments`;
  const register = () =>
    fetch(deployments, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ uri: `http://127.0.0.1:${servicePort}` }),
    }).then(
      ({ ok }) => ok,
      () => false,
    );
  await until('Restate knows the cart', register, 200);
  return { port: ports.ingress };
}

/** Restate's server ends with this process, however that ends: then the pipe to the shell is closed. */
async function startServer(ports: { readonly ingress: number; readonly admin: number; readonly node: number }) {
  const folder = await mkdtemp(path.join(tmpdir(), 'cart-bench-restate-'));
  const script = '"$0" > /dev/null 2>&1 & server=$!; cat > /dev/null; kill -9 $server; rm -rf "$RESTATE_BASE_DIR"';
  spawn('sh', ['-c', script, serverFile()], {
    stdio: ['pipe', 'ignore', 'inherit'],
    env: {
      ...process.env,
      RESTATE_BASE_DIR: folder,
      RESTATE_LISTEN_MODE: 'tcp',
      RESTATE_BIND_IP: '127.0.0.1',
      RESTATE_BIND_PORT: String(ports.node),
      RESTATE_INGRESS__BIND_PORT: String(ports.ingress),
      RESTATE_ADMIN__BIND_PORT: String(ports.admin),
      RESTATE_DISABLE_TELEMETRY: 'true',
      RESTATE_LOG_FILTER: 'error',
    },
  });
}

const serverFile = (): string =>
  require.resolve(`@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`);

/** The SDK of Restate needs it, and Node.js 20 does not have it. */
function addWithResolvers(): void {
  const target = Promise as { withResolvers?: unknown };
  target.withResolvers ??= () => {
    let [resolve, reject]: ((value: unknown) => void)[] = [];
    const promise = new Promise((resolved, rejected) => {
      [resolve, reject] = [resolved, rejected];
    });
    return { promise, resolve, reject };
  };
}
