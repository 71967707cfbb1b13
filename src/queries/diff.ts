import { Router } from 'express';
import type { Knex } from 'knex';
import { z } from 'zod';
import { cartPath, count, instant, validate } from '../http/validation';
import { cacheControlOf, requirePastCart } from './past-cart';
import type { CartView } from './read-cart';
import { type PastCart, type PointInTime, readPastCarts } from './read-past-cart';

/** Digits only: a version. Anything else: an instant. */
const pointInTime = z.string().transform((text, context): PointInTime => {
  const read = /^\d+$/.test(text) ? count.safeParse(text) : instant.safeParse(text);
  if (read.success) return read.data instanceof Date ? { at: read.data } : { version: read.data };
  for (const { message } of read.error.issues) context.addIssue({ code: 'custom', message, input: text });
  return z.NEVER;
});
const diffQuery = z.strictObject({ from: pointInTime, to: pointInTime });

/** `GET /carts/{userId}/diff?from=&to=`: how the cart differs between two points in time. */
export function diffRoutes(db: Knex): Router {
  const router = Router();
  router.get('/carts/:userId/diff', async (req, res) => {
    const { userId } = validate(cartPath, req.params);
    const { from, to } = validate(diffQuery, req.query);
    const [pastFrom, pastTo] = (await readPastCarts(db, userId, [from, to])) as [PastCart, PastCart];
    const before = requirePastCart(pastFrom, from, 'from');
    const after = requirePastCart(pastTo, to, 'to');
    res.set('Cache-Control', cacheControlOf(pastFrom, pastTo)).json({
      userId,
      from: describePoint(before, from),
      to: describePoint(after, to),
      ...differenceOf(before, after),
    });
  });
  return router;
}

const describePoint = ({ version, currency }: CartView, point: PointInTime) => ({
  version,
  ...('at' in point ? { at: point.at.toISOString() } : {}),
  currency,
});

/** The lines that differ in quantity or price: first the lines of `before`, then the lines that only `after` has. */
function differenceOf(before: CartView, after: CartView) {
  const itemsBefore = new Map(before.items.map((item) => [item.productId, item]));
  const itemsAfter = new Map(after.items.map((item) => [item.productId, item]));
  const ids = new Set([...itemsBefore.keys(), ...itemsAfter.keys()]);
  return {
    // If both carts have a currency and they differ, `from` and `to` in the answer show both.
    currency: after.currency ?? before.currency,
    items: [...ids].flatMap((id) => lineDifference(itemsBefore.get(id), itemsAfter.get(id))),
    itemCount: { before: before.itemCount, after: after.itemCount },
    subtotal: { before: before.subtotal, after: after.subtotal },
  };
}

type Item = CartView['items'][number];

function lineDifference(before: Item | undefined, after: Item | undefined) {
  if (before?.quantity === after?.quantity && before?.unitPrice === after?.unitPrice) return [];
  const { productId, name } = (after ?? before)!;
  const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  return [{ productId, name, change, before: quantityAndPrice(before), after: quantityAndPrice(after) }];
}

const quantityAndPrice = (item: Item | undefined) =>
  item === undefined ? null : { quantity: item.quantity, unitPrice: item.unitPrice };
