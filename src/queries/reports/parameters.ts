import { z } from 'zod';
import { instant as anyInstant, count, id } from '../../http/validation';

/** An instant that Postgres takes too, in UTC. */
const instant = anyInstant
  .refine((date) => date >= earliest && date < latest, 'must be between the years 1970 and 3000')
  .transform((date) => date.toISOString());
const earliest = new Date('1970-01-01T00:00:00Z');
const latest = new Date('3000-01-01T00:00:00Z');

const now = () => new Date().toISOString();
const at = instant.default(now);
const limit = (most: number, usual: number) => count.pipe(z.number().min(1).max(most)).default(usual);

const days = { hour: 1 / 24, day: 1, week: 7, month: 28 } as const;
const dayMs = 86_400_000;

/** The most intervals one answer covers. */
export const intervalsAtMost = 1_000;
/** The longest span of one answer: three years. */
export const daysAtMost = 1_096;

interface Span {
  readonly from: string;
  readonly to: string;
}

const interval = z.enum(['hour', 'day', 'week', 'month']).default('day');
const span = { from: instant, to: instant.default(now) };

const daysOf = ({ from, to }: Span) => (Date.parse(to) - Date.parse(from)) / dayMs;
const isOrdered = ({ from, to }: Span) => from < to;
const isBounded = (query: Span) => daysOf(query) <= daysAtMost;
const isCountable = (query: Span & { interval: keyof typeof days }) =>
  Math.ceil(daysOf(query) / days[query.interval]) < intervalsAtMost;

const disordered = { path: ['from'], message: 'must be before to' };
const tooLong = { path: ['to'], message: `must be at most ${daysAtMost} days after from` };
const tooFine = { path: ['interval'], message: `must be longer: an answer has at most ${intervalsAtMost} intervals` };

/** Where a page of the products' report goes on: after this product of the interval that starts then. */
const afterProduct = z
  .string()
  .transform((text) => [text.slice(0, 24), text.slice(24, 25), text.slice(25)])
  .pipe(z.tuple([instant, z.literal(','), id], 'must be taken from the link to the next page'))
  .transform(([start, , productId]) => ({ start, productId }));

/** What may be asked of each report. */
export const parameters = {
  carts: z.strictObject({ at, limit: limit(100, 10) }),
  openCarts: z.strictObject({ at, after: z.union([id, z.literal('')]).default(''), limit: limit(500, 100) }),
  longestOpen: z.strictObject({ at, limit: limit(500, 20) }),
  products: z
    .strictObject({ ...span, interval, after: afterProduct.optional(), limit: limit(5_000, 1_000) })
    .refine(isOrdered, disordered)
    .refine(isBounded, tooLong)
    .refine(isCountable, tooFine),
  value: z
    .strictObject({ ...span, interval })
    .refine(isOrdered, disordered)
    .refine(isBounded, tooLong)
    .refine(isCountable, tooFine),
  checkouts: z
    .strictObject({ ...span, limit: limit(1_000, 100) })
    .refine(isOrdered, disordered)
    .refine(isBounded, tooLong),
};
