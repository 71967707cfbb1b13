import type { KeyObject } from 'node:crypto';
import { mkdir, open, rename } from 'node:fs/promises';
import path from 'node:path';
import type { Knex } from 'knex';
import { readHeads } from '../postgres/log/read-heads';
import { signedLines } from './list';

/**
 * Writes a signed list of the heads of all users.
 * @param file appears when it is complete.
 * @returns how many users it has.
 */
export async function writeHeads(db: Knex, privateKey: KeyObject, file: string): Promise<number> {
  const unfinished = `${file}.unfinished`;
  const handle = await open(unfinished, 'w');
  let lines = 0;
  try {
    for await (const line of signedLines(readHeads(db), privateKey, new Date().toISOString())) {
      await handle.write(line);
      lines += 1;
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(unfinished, file);
  return lines - 2;
}

/** As `writeHeads`, into a folder, to a file that is named after the instant. @returns the file. */
export async function writeHeadsInto(db: Knex, privateKey: KeyObject, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, `heads-${new Date().toISOString().replaceAll(':', '-')}.jsonl`);
  await writeHeads(db, privateKey, file);
  return file;
}
