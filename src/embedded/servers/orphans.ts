import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { endProcess, type StopStep } from './server-process';

const run = promisify(execFile);

/** The arguments by which a server of this project is recognised: an option and its path, for example `-D <folder>`. */
export interface CommandSignature {
  readonly option: string;
  readonly path: string;
}

/**
 * Stops the servers that a killed main process left running on the same data. They are found by their command line and
 * not by a stored pid, because another process can have got that pid.
 * @returns their pids.
 * @throws Error if one belongs to another user or does not stop.
 */
export async function stopOrphans(signature: CommandSignature, steps: readonly StopStep[]): Promise<readonly number[]> {
  const pids = await findServers(signature);
  for (const pid of pids) await endProcess(pid, waitUntilGone(pid, signature), steps);
  return pids;
}

/** Whether the pid belongs to a process without this signature. This can also be a zombie process. */
export async function isOtherProcess(pid: number, signature: CommandSignature): Promise<boolean> {
  return isTaken(pid) && !(await findServers(signature)).includes(pid);
}

function isTaken(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function waitUntilGone(pid: number, signature: CommandSignature): Promise<void> {
  while ((await findServers(signature)).includes(pid)) await delay(25);
}

async function findServers(signature: CommandSignature): Promise<number[]> {
  const processes = await commandLines();
  return [...processes].filter(([, args]) => hasSignature(args, signature)).map(([pid]) => pid);
}

/** Reads all command lines by pid: as `\0arg\0arg\0` on Linux, elsewhere as ` arg arg `. */
async function commandLines(): Promise<Map<number, string>> {
  return process.platform === 'linux' ? fromProc() : fromPs();
}

function hasSignature(args: string, { option, path }: CommandSignature): boolean {
  return args.includes(`\0${option}\0${path}\0`) || args.includes(` ${option} ${path} `);
}

async function fromProc(): Promise<Map<number, string>> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const entries = pids.map(async (pid): Promise<[number, string]> => {
    const args = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return [pid, args];
  });
  return new Map((await Promise.all(entries)).filter(([, args]) => args !== ''));
}

async function fromPs(): Promise<Map<number, string>> {
  const { stdout } = await run('ps', ['-axww', '-o', 'pid=,args='], { maxBuffer: 16_777_216 });
  const lines = stdout.split('\n').map((line) => /^\s*(\d+) (.*)$/.exec(line));
  return new Map(lines.filter((line) => line !== null).map((line) => [Number(line[1]), ` ${line[2]} `]));
}
