import { access, constants, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** The prefix of folders that exist only during a download. */
export const temporaryPrefix = '.fetch-';

/**
 * Returns the cache folder if it can be written, else a folder for this user among the temporary files.
 * @throws Error if neither can be written.
 */
export async function writableCache(cacheDir: string, log: (line: string) => void): Promise<string> {
  if (await isOurs(cacheDir)) return cacheDir;
  const substitute = path.join(tmpdir(), `event-sourced-cart-${process.getuid!()}`);
  if (!(await isOurs(substitute))) {
    throw new Error(
      `Neither ${cacheDir} nor ${substitute} can be written: set CART_CACHE_DIR to a folder of your own.`,
    );
  }
  log(`${cacheDir} cannot be written (CART_CACHE_DIR sets it): storing programs in ${substitute}`);
  return substitute;
}

/** Removes the folders of killed downloads: temporary folders that have not changed for an hour. */
export async function removeAbandoned(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    const folder = path.join(cache, name);
    const changed = await stat(folder).catch(() => undefined);
    const isAbandoned = changed !== undefined && Date.now() - changed.mtimeMs > 3_600_000;
    if (name.startsWith(temporaryPrefix) && isAbandoned) await rm(folder, { recursive: true, force: true });
  }
}

/** Programs are run from the folder, so no other user may be able to write to it. */
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
