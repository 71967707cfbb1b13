import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { becomes } from './servers';

export interface RoleOptions {
  readonly name: string;
  /** The program, as `dist/src/main-worker.js`. */
  readonly program: string;
  readonly port: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Marks the process as one of this run, so that a watchdog can recognise it. */
  readonly mark: string;
  readonly logFile: string;
  readonly onStart: (pid: number) => void;
}

/** How a role ended on SIGTERM, and how long it took since then until it had ended and until it was ready again. */
export interface Restart {
  readonly exitCode: number | null;
  readonly stoppedMs: number;
  readonly readyMs: number;
}

/** A role as a process of its own. It is started again whenever it ends, until it is stopped. */
export interface RoleProcess {
  readonly name: string;
  readonly url: string;
  /** How often it has ended and was started again. */
  readonly restarts: () => number;
  kill(signal: NodeJS.Signals): void;
  /** While it is held, it is not started again. */
  setHeld(isHeld: boolean): void;
  /** Environment variables for the next start. */
  setExtra(extra: Readonly<Record<string, string>>): void;
  isReady(): Promise<boolean>;
  /** Ends it with SIGTERM and waits until it is ready again. @throws Error where that takes longer than a minute. */
  restart(): Promise<Restart>;
  stop(): Promise<void>;
}

const restartMs = 300;

export function startRole(options: RoleOptions): RoleProcess {
  const { name, port } = options;
  const log = createWriteStream(options.logFile, { flags: 'a' });
  const url = `http://127.0.0.1:${port}`;
  let extra: Readonly<Record<string, string>> = {};
  let isStopping = false;
  let isHeld = false;
  let restarts = 0;
  let child = launch(options, extra, log);
  const supervise = async () => {
    for (;;) {
      await once(child, 'exit');
      if (isStopping) return;
      await delay(restartMs);
      while (isHeld && !isStopping) await delay(restartMs);
      if (isStopping) return;
      restarts += 1;
      child = launch(options, extra, log);
    }
  };
  const ended = supervise();
  const isReady = () => answersReady(url);
  return {
    name,
    url,
    restarts: () => restarts,
    kill: (signal) => void child.kill(signal),
    setHeld(held) {
      isHeld = held;
    },
    setExtra(next) {
      extra = next;
    },
    isReady,
    async restart() {
      const [before, startedAt] = [restarts, performance.now()];
      const sinceStart = () => Math.round(performance.now() - startedAt);
      let ended: Pick<Restart, 'exitCode' | 'stoppedMs'> = { exitCode: null, stoppedMs: 60_000 };
      child.once('exit', (exitCode) => {
        ended = { exitCode, stoppedMs: sinceStart() };
      });
      child.kill('SIGTERM');
      const isBack = async () => isStopping || (restarts > before && (await isReady()));
      if (!(await becomes(isBack, 60_000))) throw new Error(`${name} was not ready again within a minute.`);
      return { ...ended, readyMs: sinceStart() };
    },
    async stop() {
      isStopping = true;
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      const killing = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await ended;
      clearTimeout(killing);
      log.end();
    },
  };
}

function launch(options: RoleOptions, extra: Readonly<Record<string, string>>, log: WriteStream): ChildProcess {
  const child = spawn(process.execPath, ['--max-old-space-size=600', options.program, options.mark], {
    env: { ...process.env, ...options.environment, PORT: String(options.port), HOST: '127.0.0.1', ...extra },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A Ctrl-C in the terminal reaches the harness alone, which then ends everything in order.
    detached: true,
  });
  child.stdout!.pipe(log, { end: false });
  child.stderr!.pipe(log, { end: false });
  if (child.pid !== undefined) options.onStart(child.pid);
  return child;
}

/** Whether the process at this address says that it is ready. */
export async function answersReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_500) });
    await answer.arrayBuffer();
    return answer.status === 200;
  } catch {
    return false;
  }
}
