import { InvalidArgumentError } from 'commander';
import { idDescription, isId } from '../domain/fields';

export function parseId(text: string): string {
  if (!isId(text)) throw new InvalidArgumentError(`An id is ${idDescription}.`);
  return text;
}

export function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1)
    throw new InvalidArgumentError('It must be a whole number greater than 0.');
  return count;
}

/** The examples at the end of a command's help. */
export const examples = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  $ npm run ops -- ${line}`).join('\n')}`;
