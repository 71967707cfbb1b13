import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** One step of a stop: the signal to send, and how long to wait for the exit before the next step. */
export type StopStep = readonly [signal: NodeJS.Signals, graceMs: number];

/** The command of a server, and the options to start and stop it. */
export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
  /** The file for its output. Each start overwrites it. */
  readonly logFile: string;
  readonly stopSteps: readonly StopStep[];
}

/** A running server. It has its own process group, so that it does not receive a Ctrl-C from the terminal. */
export interface ServerProcess {
  readonly pid: number;
  /** Resolves when the server has ended, for any reason. The text says how it ended. */
  readonly exited: Promise<string>;
  /** Stops the server. Resolves when it has ended. */
  stop(): Promise<void>;
}

/**
 * Starts the server. When this returns, the server may not be ready yet.
 * @throws Error if the command cannot be run or the log file cannot be written.
 */
export async function startServerProcess(server: ServerCommand): Promise<ServerProcess> {
  const log = openSync(server.logFile, 'w', 0o600);
  const child = spawn(server.command, server.args, {
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log],
    ...(server.uid !== undefined && { uid: server.uid }),
    ...(server.gid !== undefined && { gid: server.gid }),
  });
  closeSync(log);
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `exited with code ${code}` : `was ended by ${signal}`),
    );
  });
  await once(child, 'spawn');
  const pid = child.pid!;
  return { pid, exited, stop: () => endProcess(pid, exited, server.stopSteps) };
}

/**
 * Sends the signals one after the other until `gone` resolves.
 * @throws Error if the process belongs to another user or still runs after the last step.
 */
export async function endProcess(pid: number, gone: Promise<unknown>, steps: readonly StopStep[]): Promise<void> {
  for (const [signal, graceMs] of steps) {
    send(pid, signal);
    if (await resolvesWithin(gone, graceMs)) return;
  }
  throw new Error(`Process ${pid} still runs after ${steps.at(-1)?.[0]}: stop it by hand.`);
}

/** A server that did not start. */
export class ServerStartError extends Error {
  override readonly name = 'ServerStartError';

  /** @param reason what the server's log says about it. */
  constructor(
    server: string,
    problem: string,
    readonly reason: string,
    logFile: string,
  ) {
    super(`${server} ${problem} (${reason}); its log is ${logFile}.`);
  }
}

/**
 * Calls `isReady` until it returns true.
 * @throws ServerStartError if the server ends first or the time is over.
 */
export async function waitUntilReady(
  name: string,
  server: ServerProcess,
  logFile: string,
  timeoutMs: number,
  isReady: () => Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let ended: string | undefined;
  void server.exited.then((how) => {
    ended = how;
  });
  while (!(await isReady())) {
    const problem = ended ?? (Date.now() < deadline ? undefined : `was not ready within ${timeoutMs / 1000} s`);
    if (problem !== undefined) throw new ServerStartError(name, problem, await readReason(logFile), logFile);
    await delay(50);
  }
  await delay(0);
  if (ended !== undefined) throw new ServerStartError(name, ended, await readReason(logFile), logFile);
}

/** The line of a log that says most about why a server ended, shortened; the last one where none does. */
async function readReason(logFile: string): Promise<string> {
  const lines = (await readFile(logFile, 'utf8').catch(() => '')).split('\n').filter((line) => line.trim() !== '');
  const telling = [/already in use/i, /^[^\t]*\b(fatal|panic|error)\b/i, /./];
  const line =
    telling.map((pattern) => lines.findLast((each) => pattern.test(each))).find(Boolean) ?? 'its log is empty';
  return line.trim().replace(/\s+/g, ' ').slice(0, 300);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EPERM') {
      throw new Error(`Process ${pid} belongs to another user and uses the same data: stop it by hand.`);
    }
    if (code !== 'ESRCH') throw error;
  }
}

async function resolvesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  const timeout = delay(ms, false, { signal: timer.signal }).catch(() => false);
  const isResolved = await Promise.race([promise.then(() => true), timeout]);
  timer.abort();
  return isResolved;
}
