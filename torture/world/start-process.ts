import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { answersReady } from './role-process';
import { becomes, childrenOf } from './servers';

export interface StartOptions {
  /** The program, `dist/src/main.js`. */
  readonly program: string;
  /** The folder of its data. */
  readonly folder: string;
  /** By the names of their variables, as PORT. */
  readonly ports: Readonly<Record<string, number>>;
  readonly logFile: string;
  /** Is called with the process and with the servers that it has started. */
  readonly watch: (pid: number) => void;
}

/** Everything in one process and its embedded servers, as `npm start` runs it. */
export interface StartProcess {
  readonly url: string;
  /** @returns the milliseconds since its start; undefined if it ended, or was not ready in time. */
  untilReady(timeoutMs: number): Promise<number | undefined>;
  /** Sends the signal and waits for its end. */
  end(signal: NodeJS.Signals): Promise<{ readonly exitCode: number | null; readonly ms: number }>;
  /** What it has written to its error output, once it has ended. */
  readonly errors: Promise<string>;
}

/** Longer than a stop may take. Then it is killed. */
const patienceMs = 30_000;

/** Starts everything; it may not be ready yet. */
export function launchStart({ program, folder, ports, logFile, watch }: StartOptions): StartProcess {
  const startedAt = performance.now();
  const settings = Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)]));
  const own = { CART_DATA_DIR: folder, HOST: '127.0.0.1', LOG_LEVEL: 'warn' };
  const child = spawn(process.execPath, [program, folder], {
    // With these, it would start no servers of its own.
    env: { ...process.env, ...settings, ...own, DATABASE_URL: undefined, TEMPORAL_ADDRESS: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A Ctrl-C in the terminal reaches the harness alone, which then ends everything in order.
    detached: true,
  });
  if (child.pid !== undefined) watch(child.pid);
  const exited = once(child, 'exit');
  const log = createWriteStream(logFile, { flags: 'a' });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const errors = text(child.stderr);
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const url = `http://127.0.0.1:${ports.PORT}`;
  return {
    url,
    errors,
    async untilReady(timeoutMs) {
      await becomes(async () => hasEnded() || (await answersReady(url)), timeoutMs, 50);
      if (hasEnded() || !(await answersReady(url))) return undefined;
      const readyMs = Math.round(performance.now() - startedAt);
      for (const pid of await childrenOf(child.pid!)) watch(pid);
      return readyMs;
    },
    async end(signal) {
      const signalledAt = performance.now();
      const abandoned = new AbortController();
      void delay(patienceMs, undefined, { signal: abandoned.signal }).then(
        () => child.kill('SIGKILL'),
        () => undefined,
      );
      child.kill(signal);
      const [exitCode] = await exited;
      abandoned.abort();
      log.end();
      return { exitCode, ms: Math.round(performance.now() - signalledAt) };
    },
  };
}
