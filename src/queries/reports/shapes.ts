import { z } from 'zod';

/*
 * The bodies of the reports. Sums are numbers, or text where a number would not be exact.
 */

const text = z.string();
const count = z.int().min(0);
const sum = z.union([z.int(), z.string().regex(/^-?\d+$/)]);
const instant = z.iso.datetime({ precision: 3 });
const span = { from: instant, to: instant };
const next = text.optional();

const movement = z.strictObject({
  start: instant,
  productId: text,
  timesAdded: count,
  unitsAdded: count,
  timesRemoved: count,
  unitsRemoved: count,
  timesBought: count,
  unitsBought: count,
});

/** The bodies of the reports, by name. */
export const shapes = {
  carts: z.strictObject({
    at: instant,
    openCarts: count,
    lines: count,
    units: count,
    values: z.array(z.strictObject({ currency: text, carts: count, lines: count, units: count, value: sum })),
    topProducts: z.array(z.strictObject({ productId: text, name: text, carts: count, units: count })),
  }),
  openCarts: z.strictObject({
    at: instant,
    carts: z.array(
      z.strictObject({
        userId: text,
        version: count,
        lines: count,
        units: count,
        value: sum,
        currency: text,
        openSince: instant,
      }),
    ),
    next,
  }),
  products: z.strictObject({ ...span, interval: text, products: z.array(movement), next }),
  value: z.strictObject({
    ...span,
    interval: text,
    points: z.array(z.strictObject({ at: instant, currency: text, openCarts: count, value: sum })),
  }),
  checkouts: z.strictObject({
    ...span,
    products: z.array(
      z.strictObject({
        productId: text,
        name: text.nullable(),
        checkouts: count,
        unitsBought: count,
        removals: count,
        unitsRemoved: count,
        boughtRatio: z.number(),
        revenue: z.record(text, sum).meta({ description: 'By currency.' }),
      }),
    ),
  }),
};
