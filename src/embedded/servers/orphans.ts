import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { endProcess, type StopStep } from './server-process';

const run = promisify(execFile);

/** How to know a server of ours, whatever its pid: it was started with this option and this path, e.g. `-D <folder>`. */
export interface Mark {
  readonly option: string;
  readonly path: string;
}

/**
 * Ends the servers a killed main process left behind on the same data, and returns their pids. They are found by their
 * command line, so a pid used again by an unrelated process is never mistaken for one.
 * @throws Error when one belongs to another user or does not stop.
 */
export async function stopOrphans(mark: Mark, steps: readonly StopStep[]): Promise<readonly number[]> {
  const pids = await marked(mark);
  for (const pid of pids) await endProcess(pid, gone(pid, mark), steps);
  return pids;
}

/** Whether the pid is taken, be it by a dead process not yet collected, but not by a server that carries the mark. */
export async function isSomebodyElse(pid: number, mark: Mark): Promise<boolean> {
  return isTaken(pid) && !(await marked(mark)).includes(pid);
}

function isTaken(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function gone(pid: number, mark: Mark): Promise<void> {
  while ((await marked(mark)).includes(pid)) await delay(25);
}

async function marked(mark: Mark): Promise<number[]> {
  const processes = await commandLines();
  return [...processes].filter(([, args]) => carries(args, mark)).map(([pid]) => pid);
}

/** Command lines as `\0arg\0arg\0` where /proc tells the arguments apart, else ` arg arg `. */
async function commandLines(): Promise<Map<number, string>> {
  return process.platform === 'linux' ? fromProc() : fromPs();
}

function carries(args: string, { option, path }: Mark): boolean {
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
