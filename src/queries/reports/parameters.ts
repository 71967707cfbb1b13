import { z } from 'zod';
import { count, id, instant, instantLike } from '../../http/validation';

/** An instant in UTC, within the range that Postgres supports. */
const inRange = (schema: typeof instant) =>
  schema
    .refine((date) => date >= earliest && date < latest, 'must be between the years 1970 and 3000')
    .transform((date) => date.toISOString());
const reportInstant = inRange(instant);
const earliest = new Date('1970-01-01T00:00:00Z');
const latest = new Date('3000-01-01T00:00:00Z');

const now = () => new Date().toISOString();
const at = reportInstant.default(now);
const limit = (max: number, standard: number) =>
  count
    .pipe(z.number().min(1).max(max))
    .default(standard)
    .meta({ minimum: 1, maximum: max, description: `The number of rows, if absent ${standard}.` });

const daysPerInterval = { hour: 1 / 24, day: 1, week: 7, month: 28 } as const;
const dayMs = 86_400_000;

/** The maximum number of intervals in one answer. */
const maxIntervals = 1_000;
/** The longest span of one answer in days: three years. */
const maxDays = 1_096;

/** The span of time that a report covers: from `from` until before `to`. */
export interface Span {
  readonly from: string;
  readonly to: string;
}

const interval = z.enum(['hour', 'day', 'week', 'month']).default('day');
const span = { from: inRange(instantLike('2026-01-01T00:00:00Z')), to: reportInstant.default(now) };

const daysOf = ({ from, to }: Span) => (Date.parse(to) - Date.parse(from)) / dayMs;
const isOrdered = ({ from, to }: Span) => from < to;
const isBounded = (query: Span) => daysOf(query) <= maxDays;
const isCountable = (query: Span & { interval: keyof typeof daysPerInterval }) =>
  Math.ceil(daysOf(query) / daysPerInterval[query.interval]) < maxIntervals;

const notOrdered = { path: ['from'], message: 'must be before to' };
const tooLong = { path: ['to'], message: `must be at most ${maxDays} days after from` };
const tooFine = { path: ['interval'], message: `must be longer: an answer has at most ${maxIntervals} intervals` };

/** The last row of the previous page: the start of its interval, a comma and its product. */
const afterProduct = z
  .string()
  .meta({ examples: ['2026-01-05T00:00:00.000Z,espresso'] })
  .transform((text) => [text.slice(0, 24), text.slice(24, 25), text.slice(25)])
  .pipe(z.tuple([reportInstant, z.literal(','), id], 'must be copied from the link to the next page'))
  .transform(([start, , productId]) => ({ start, productId }));

/** The query parameters of each report. */
export const parameters = {
  carts: z.strictObject({ at, limit: limit(100, 10) }),
  openCarts: z.strictObject({
    at,
    after: z
      .union([id, z.literal('')])
      .default('')
      .meta({ examples: ['alice'] }),
    limit: limit(500, 100),
  }),
  longestOpen: z.strictObject({ at, limit: limit(500, 20) }),
  products: z
    .strictObject({ ...span, interval, after: afterProduct.optional(), limit: limit(5_000, 1_000) })
    .refine(isOrdered, notOrdered)
    .refine(isBounded, tooLong)
    .refine(isCountable, tooFine),
  value: z
    .strictObject({ ...span, interval })
    .refine(isOrdered, notOrdered)
    .refine(isBounded, tooLong)
    .refine(isCountable, tooFine),
  checkouts: z
    .strictObject({ ...span, limit: limit(1_000, 100) })
    .refine(isOrdered, notOrdered)
    .refine(isBounded, tooLong),
};
