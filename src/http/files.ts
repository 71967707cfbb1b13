import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A file, as it is sent. */
export interface ServedFile {
  readonly text: string;
  readonly etag: string;
}

export const toServed = (text: string): ServedFile => ({
  text,
  etag: `"${createHash('sha256').update(text).digest('base64url')}"`,
});

/**
 * Finds a folder of the project. Compiled code is in folders of different depths.
 * @param advice what to do where there is none.
 * @throws Error with this advice.
 */
export function findFolder(name: string, advice: string): string {
  for (let above = __dirname; ; above = dirname(above)) {
    const folder = join(above, name);
    if (existsSync(folder)) return folder;
    if (above === dirname(above)) {
      throw new Error(`There is no folder ${name} beside or above ${__dirname}: ${advice}`);
    }
  }
}
