import { spawn } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';

/** How to watch a command that writes to a folder. */
export interface Watch {
  readonly folder: string;
  /** How long it may take until the folder has any content. */
  readonly firstMs: number;
  /** How long the content may then stay the same. */
  readonly stallMs: number;
  readonly onProgress?: (megabytes: number) => void;
  /** Where the command's output goes. By default it is dropped. */
  readonly output?: 'ignore' | 'inherit';
}

/**
 * Runs a command, and kills it if its folder stops growing.
 * @throws Error with the end of its error output, if it fails, stalls or cannot be started.
 */
export async function runWatched(command: string, args: readonly string[], watch: Watch): Promise<void> {
  const output = watch.output === 'inherit' ? 2 : 'ignore';
  const child = spawn(command, args, { cwd: watch.folder, stdio: ['ignore', output, 'pipe'] });
  let errorOutput = '';
  child.stderr!.on('data', (chunk) => {
    errorOutput = (errorOutput + chunk).slice(-2_000);
  });
  const ended = new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code) =>
      resolve(code === 0 ? undefined : lastLines(errorOutput) || `exited with code ${code}`),
    );
  });
  const growth = watchGrowth(watch);
  const problem = await Promise.race([ended, growth.problem]);
  growth.stopWatching();
  if (problem === undefined) return;
  child.kill('SIGKILL');
  throw new Error(problem);
}

/** Passes on only as much progress as a person wants to read in a log. */
export function everyFewSeconds(report: (megabytes: number) => void): (megabytes: number) => void {
  let next = Date.now() + 3_000;
  return (megabytes) => {
    if (Date.now() < next) return;
    next = Date.now() + 3_000;
    report(megabytes);
  };
}

function watchGrowth({ folder, firstMs, stallMs, onProgress }: Watch) {
  let size = 0;
  let deadline = Date.now() + firstMs;
  let timer: NodeJS.Timeout;
  const problem = new Promise<string>((resolve) => {
    timer = setInterval(async () => {
      const now = await sizeOf(folder).catch(() => size);
      if (now !== size) deadline = Date.now() + stallMs;
      else if (Date.now() > deadline) resolve(size === 0 ? 'nothing arrived' : 'nothing more arrived');
      if (now > size) onProgress?.(Math.round(now / 1e6));
      size = now;
    }, 200);
  });
  return { problem, stopWatching: () => clearInterval(timer) };
}

async function sizeOf(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true });
  const sizes = names.map(async (name) =>
    stat(path.join(folder, name)).then((file) => (file.isFile() ? file.size : 0)),
  );
  return (await Promise.all(sizes.map((size) => size.catch(() => 0)))).reduce((sum, size) => sum + size, 0);
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join(' ').trim();
}
