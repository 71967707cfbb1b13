import { z } from 'zod';
import { isId } from '../domain/commands';
import { limits } from '../domain/limits';
import { Problem } from './problem';

/** An id in a path or body: 1–128 characters of `A-Z a-z 0-9 . _ ~ @ | : + -`. */
export const id = z.string().refine(isId, `must be 1–${limits.idLength} characters of A-Z a-z 0-9 . _ ~ @ | : + -`);

/** A whole number written in a query string. */
export const count = z
  .string()
  .regex(/^\d{1,9}$/, 'must be a whole number of at most 9 digits')
  .transform(Number);

/** The cart a path names. */
export const cartPath = z.object({ userId: id });

/** How many entries a page has, and what it says when asked for more. */
export const pageLimit = count.pipe(z.number().min(1).max(500)).default(100);

/**
 * The value as the schema reads it.
 * @throws Problem 400 `invalid_request`, naming each field that is wrong.
 */
export function validate<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
  const detail = errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  throw new Problem(400, 'invalid_request', detail, { errors });
}
