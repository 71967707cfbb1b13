import { InvalidArgumentError } from 'commander';
import { isId } from '../domain/commands';

/** Reads a user's or a run's id. */
export function parseId(text: string): string {
  if (!isId(text)) throw new InvalidArgumentError('An id is 1–128 characters of A-Z a-z 0-9 . _ ~ @ | : + -');
  return text;
}

/** Reads a positive whole number. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1) throw new InvalidArgumentError('It must be a whole number above 0.');
  return count;
}

/** The examples below a command's help. */
export const examples = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  $ npm run ops -- ${line}`).join('\n')}`;
