import { access, constants, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Begins the name of every folder that only lives while something is being fetched. */
export const temporaryPrefix = '.fetch-';

/**
 * The folder itself where it can be written, else one of this user's own among the temporary files.
 * @throws Error when neither can be written.
 */
export async function writableCache(cacheDir: string, log: (line: string) => void): Promise<string> {
  if (await isOurs(cacheDir)) return cacheDir;
  const substitute = path.join(tmpdir(), `event-sourced-cart-${process.getuid!()}`);
  if (!(await isOurs(substitute))) {
    throw new Error(
      `Neither ${cacheDir} nor ${substitute} can be written: set CART_CACHE_DIR to a folder of your own.`,
    );
  }
  log(`${cacheDir} cannot be written (CART_CACHE_DIR sets it): keeping programs in ${substitute}`);
  return substitute;
}

/** Removes what a fetch left that was killed: temporary folders untouched for an hour. */
export async function removeAbandoned(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    const folder = path.join(cache, name);
    const changed = await stat(folder).catch(() => undefined);
    const isAbandoned = changed !== undefined && Date.now() - changed.mtimeMs > 3_600_000;
    if (name.startsWith(temporaryPrefix) && isAbandoned) await rm(folder, { recursive: true, force: true });
  }
}

/** Programs are run from there, so nobody else may be able to put one there. */
async function isOurs(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await access(folder, constants.W_OK | constants.X_OK);
    const { uid, mode } = await stat(folder);
    return uid === process.getuid!() && (mode & 0o002) === 0;
  } catch {
    return false;
  }
}
