import { z } from 'zod';
import { idDescription, isId } from '../domain/fields';
import { Problem } from './problem';

/** An id in a path or body. */
export const id = z.string().refine(isId, `must be ${idDescription}`);

/** A whole number written in a query string. */
export const count = z
  .string()
  .regex(/^\d{1,9}$/, 'must be a whole number of at most 9 digits')
  .transform(Number);

/**
 * An instant in RFC 3339: date, time with seconds, and offset. Digits after the milliseconds are cut off, because the
 * instants of events have milliseconds.
 */
export const instant = z.string().transform((text, context) => {
  const date = parseInstant(text);
  if (date !== undefined) return date;
  context.addIssue({ code: 'custom', message: instantMessage, input: text });
  return z.NEVER;
});

const instantMessage = 'must be an RFC 3339 instant such as 2030-01-31T12:00:00Z or 2030-01-31T13:00:00.250%2B01:00';
const instantPattern =
  /^(\d{4}-\d\d-\d\d)T((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d+))?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))$/i;

function parseInstant(text: string): Date | undefined {
  const [, day, time, fraction = '', sign, hours = 0, minutes = 0] = instantPattern.exec(text) ?? [];
  // Date.parse would read 30 February as 2 March.
  if (day === undefined || !isCalendarDay(day)) return undefined;
  const local = Date.parse(`${day}T${time}.${fraction.slice(0, 3).padEnd(3, '0')}Z`);
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return new Date(sign === '-' ? local + offset : local - offset);
}

function isCalendarDay(day: string): boolean {
  const midnight = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
}

/** The path parameters of a cart. */
export const cartPath = z.object({ userId: id });

/** Page size: 1–500, default 100. */
export const pageLimit = count.pipe(z.number().min(1).max(500)).default(100);

/**
 * Returns the value as the schema reads it.
 * @throws Problem 400 `invalid_request`, with an entry for each invalid field.
 */
export function validate<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
  const detail = errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  throw new Problem(400, 'invalid_request', detail, { errors });
}
