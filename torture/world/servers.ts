import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A running server: Postgres or Temporal. */
export interface Started {
  readonly pid: number;
  readonly exited: Promise<string>;
  stop(): Promise<void>;
}

/** A server that can be killed, stopped for a while and started again on the same data and port. */
export interface BreakableServer<Server extends Started = Started> {
  /** What `start` gave last. */
  current(): Server;
  kill(): Promise<void>;
  /** Starts it again after `kill`. */
  start(): Promise<void>;
  /** SIGSTOP for it and the processes it has started. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  stop(): Promise<void>;
}

/** @param launch starts the server and resolves when it is ready. */
export async function startBreakable<Server extends Started>(
  launch: () => Promise<Server>,
  onStart: (pid: number) => void,
): Promise<BreakableServer<Server>> {
  let server = await launch();
  onStart(server.pid);
  let paused: number[] = [];
  const resume = async () => {
    for (const pid of paused.splice(0)) signal(pid, 'SIGCONT');
  };
  return {
    current: () => server,
    async kill() {
      signal(server.pid, 'SIGKILL');
      await server.exited;
    },
    async start() {
      server = await launch();
      onStart(server.pid);
    },
    async pause() {
      paused = [server.pid, ...(await childrenOf(server.pid))];
      for (const pid of paused) signal(pid, 'SIGSTOP');
    },
    resume,
    async stop() {
      await resume();
      await server.stop();
    },
  };
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The processes that this one has started. */
export async function childrenOf(parent: number): Promise<number[]> {
  const { stdout } = await run('ps', ['-axo', 'pid=,ppid=']);
  const pairs = stdout.trim().split('\n');
  return pairs
    .map((pair) => pair.trim().split(/\s+/).map(Number))
    .flatMap(([pid, of]) => (of === parent ? [pid!] : []));
}

/** Asks until it is so. @returns whether it became so before the time was up. */
export async function becomes(isSo: () => Promise<boolean>, timeoutMs: number, pauseMs = 100): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    if (await isSo().catch(() => false)) return true;
    if (Date.now() > deadline) return false;
    await delay(pauseMs);
  }
}
