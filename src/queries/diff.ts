import { z } from 'zod';
import { defineRoute, type Route } from '../http/route';
import { type CartView, differenceShape } from '../http/shapes';
import { cartPath, count, instant, requestProblems } from '../http/validation';
import { cacheControlOf, pastHeaders, requirePastCart } from './past-cart';
import type { QueryPorts } from './ports';
import { type PastCart, type PointInTime, readPastCarts } from './read-past-cart';

/** Digits only: a version. Anything else: an instant. */
const pointInTime = z
  .string()
  .meta({ examples: ['1'] })
  .transform((text, context): PointInTime => {
    const read = /^\d+$/.test(text) ? count.safeParse(text) : instant.safeParse(text);
    if (read.success) return read.data instanceof Date ? { at: read.data } : { version: read.data };
    for (const { message } of read.error.issues) context.addIssue({ code: 'custom', message, input: text });
    return z.NEVER;
  });
const diffQuery = z.strictObject({ from: pointInTime, to: pointInTime });

export const diffRoute: Route<QueryPorts> = defineRoute(
  {
    name: 'compareCarts',
    method: 'get',
    path: '/carts/{userId}/diff',
    summary: 'How the cart differs between two points in time, each a version or an instant',
    access: 'carts:read',
    rate: 'reads',
    params: cartPath,
    query: diffQuery,
    answers: { 200: { description: 'The difference.', body: differenceShape, headers: pastHeaders } },
    problems: { ...requestProblems, 404: ['version_unknown'], 503: ['database_unavailable'] },
  },
  async ({ db }: QueryPorts, { params: { userId }, query: { from, to } }) => {
    const [pastFrom, pastTo] = (await readPastCarts(db, userId, [from, to])) as [PastCart, PastCart];
    const before = requirePastCart(pastFrom, from, 'from');
    const after = requirePastCart(pastTo, to, 'to');
    return {
      status: 200,
      headers: { 'Cache-Control': cacheControlOf(pastFrom, pastTo) },
      body: {
        userId,
        from: describePoint(before, from),
        to: describePoint(after, to),
        ...differenceOf(before, after),
      },
    };
  },
);

const describePoint = ({ version, currency }: CartView, point: PointInTime) => ({
  version,
  ...('at' in point ? { at: point.at.toISOString() } : {}),
  currency,
});

/** The lines that differ in quantity or price: first the lines of `before`, then the lines that only `after` has. */
function differenceOf(before: CartView, after: CartView) {
  const itemsBefore = new Map(before.items.map((item) => [item.lineId, item]));
  const itemsAfter = new Map(after.items.map((item) => [item.lineId, item]));
  const ids = new Set([...itemsBefore.keys(), ...itemsAfter.keys()]);
  return {
    // If both carts have a currency and they differ, `from` and `to` in the answer show both.
    currency: after.currency ?? before.currency,
    items: [...ids].flatMap((id) => lineDifference(itemsBefore.get(id), itemsAfter.get(id))),
    note: { before: before.note, after: after.note },
    itemCount: { before: before.itemCount, after: after.itemCount },
    subtotal: { before: before.subtotal, after: after.subtotal },
  };
}

type Item = CartView['items'][number];

function lineDifference(before: Item | undefined, after: Item | undefined) {
  if (before?.quantity === after?.quantity && before?.unitPrice === after?.unitPrice) return [];
  const { lineId, productId, attributes, name } = (after ?? before)!;
  const line = { lineId, productId, ...(attributes === undefined ? {} : { attributes }), name };
  const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  return [{ ...line, change, before: quantityAndPrice(before), after: quantityAndPrice(after) }];
}

const quantityAndPrice = (item: Item | undefined) =>
  item === undefined ? null : { quantity: item.quantity, unitPrice: item.unitPrice };
