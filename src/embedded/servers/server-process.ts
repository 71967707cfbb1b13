import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** One step of a stop: the signal to send, and how long to wait for the exit before the next step. */
export type StopStep = readonly [signal: NodeJS.Signals, graceMs: number];

/** What to run, and where its output goes. */
export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
  /** Written anew at each start. */
  readonly logFile: string;
  readonly stopSteps: readonly StopStep[];
}

/** A server running beside this process, in a process group of its own so that the terminal's Ctrl-C does not reach it. */
export interface ServerProcess {
  readonly pid: number;
  /** Resolves, with how it ended, as soon as the server is gone, whoever ended it. */
  readonly exited: Promise<string>;
  /** Resolves once the server is gone. */
  stop(): Promise<void>;
}

/**
 * Starts the server; it may not be ready yet.
 * @throws Error when the command cannot be run or the log file not be written.
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
 * @throws Error when the process belongs to another user or outlives even the last step.
 */
export async function endProcess(pid: number, gone: Promise<unknown>, steps: readonly StopStep[]): Promise<void> {
  for (const [signal, graceMs] of steps) {
    send(pid, signal);
    if (await happensWithin(gone, graceMs)) return;
  }
  throw new Error(`Process ${pid} does not stop, not even after ${steps.at(-1)?.[0]}: stop it by hand.`);
}

/**
 * Asks `isReady` again and again until it says yes.
 * @throws Error with the end of the server's log when the server exits first or the time is up.
 */
export async function untilReady(
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
    if (ended === undefined && Date.now() < deadline) await delay(50);
    else throw new Error(`${name} ${ended ?? `was not ready within ${timeoutMs / 1000} s`}. ${await logEnd(logFile)}`);
  }
  await delay(0);
  if (ended !== undefined) throw new Error(`${name} ${ended}. ${await logEnd(logFile)}`);
}

async function logEnd(logFile: string): Promise<string> {
  const lines = (await readFile(logFile, 'utf8').catch(() => '')).trimEnd().split('\n');
  return `The end of its log (${logFile}):\n${lines.slice(-20).join('\n')}`;
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EPERM') throw new Error(`Process ${pid} belongs to another user and is in the way: stop it by hand.`);
    if (code !== 'ESRCH') throw error;
  }
}

async function happensWithin(event: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  const timeout = delay(ms, false, { signal: timer.signal }).catch(() => false);
  const happened = await Promise.race([event.then(() => true), timeout]);
  timer.abort();
  return happened;
}
