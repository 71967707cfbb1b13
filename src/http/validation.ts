import { z } from 'zod';
import { idDescription, isId, isLineId } from '../domain/fields';
import { limits } from '../domain/limits';
import { productOf } from '../domain/lines';
import { Problem } from './problem';
import type { ProblemsOfRoute } from './route';

/** Clients resolve these in a path before they send it, so that no request can name such an id. */
const dotSegments: readonly string[] = ['.', '..'];

/** An id in a path or body. */
export const id = z
  .string()
  .refine(isId, `must be ${idDescription}`)
  .refine((text) => !dotSegments.includes(text), 'must not be . or ..')
  .meta({ minLength: 1, maxLength: limits.idLength, pattern: '^[A-Za-z0-9._~@|:+-]+$' });

/** The id of a user, with an example for the description of the API. */
export const userId = id.meta({ examples: ['alice'] });
/** The id of a product of the sample catalogue, likewise. */
export const productId = id.meta({ examples: ['espresso'] });

/** The id of a line: the id of its product, or what a line with attributes has. */
export const lineId = z
  .string()
  .refine(isLineId, `must be ${idDescription}; with attributes followed by ! and their hash`)
  .refine((text) => !dotSegments.includes(productOf(text)), 'must not be . or ..')
  .meta({
    ...{ minLength: 1, maxLength: limits.idLength + limits.attributesHashLength, examples: ['espresso'] },
    pattern: '^[A-Za-z0-9._~@|:+-]+(![a-z0-9.]+)?$',
  });

/** An example of the id of a command, and of the header that chooses it. */
export const commandIdExample = '0d6c1b9e-6a0c-4bb1-8f5e-2c2f0c0f7a11';

/** A whole number written in a query string. */
export const count = z
  .string()
  .refine((text) => /^\d{1,9}$/.test(text), 'must be a whole number of at most 9 digits')
  .meta({ type: 'integer', minimum: 0, maximum: 999_999_999, examples: [1] })
  .transform(Number);

/**
 * An instant in RFC 3339: date, time with seconds, and offset. Digits after the milliseconds are cut off, because the
 * instants of events have milliseconds. The example is for the description of the API.
 */
export const instantLike = (example: string) =>
  z
    .string()
    .meta({ format: 'date-time', examples: [example] })
    .transform((text, context) => {
      const date = parseInstant(text);
      if (date !== undefined) return date;
      context.addIssue({ code: 'custom', message: instantMessage, input: text });
      return z.NEVER;
    });
export const instant = instantLike('2026-01-31T12:00:00Z');

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
export const cartPath = z.object({ userId });
/** The path parameters of a product. */
export const productPath = z.object({ productId });

/** What can be wrong with a request that has parameters; with a body, too. */
export const requestProblems = { 400: ['invalid_request'] } as const satisfies ProblemsOfRoute;
export const bodyProblems = {
  400: ['invalid_request', 'entity_parse_failed', 'request_aborted', 'request_size_invalid'],
  413: ['entity_too_large'],
  415: ['unsupported_media_type', 'charset_unsupported', 'encoding_unsupported'],
} as const satisfies ProblemsOfRoute;

/** Page size: 1–500, default 100. */
export const pageLimit = count
  .pipe(z.number().min(1).max(500))
  .default(100)
  .meta({ description: 'The size of the page: 1–500, if absent 100.', minimum: 1, maximum: 500 });

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
