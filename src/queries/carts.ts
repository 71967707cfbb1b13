import { z } from 'zod';
import { conditional, etagOf, hasCurrent } from '../http/conditional';
import { Problem } from '../http/problem';
import { type Answer, defineRoute, type Route } from '../http/route';
import { type CartView, cartShape, outcomeShape } from '../http/shapes';
import { cartPath, commandIdExample, count, id, instant, requestProblems } from '../http/validation';
import { findOutcome, toPublic } from '../postgres/log/outcomes';
import { awaitProjection } from '../postgres/projection/await-projection';
import { cacheControlOf, pastHeaders, requirePastCart } from './past-cart';
import type { QueryPorts } from './ports';
import { type PointInTime, readPastCarts } from './read-past-cart';

const cartQuery = z
  .strictObject({
    minVersion: count.optional().meta({ description: 'Wait until the cart has this version, at most 5 s.' }),
    version: count.optional().meta({ description: 'The exact cart after its n-th event.' }),
    at: instant.optional().meta({ description: 'The exact cart at an instant of the past.' }),
  })
  .refine((query) => Object.keys(query).length <= 1, 'must have only one of minVersion, version and at');
const commandPath = cartPath.extend({ commandId: id.meta({ examples: [commandIdExample] }) });

const freshnessSeconds = 5;

export const cartQueryRoutes: readonly Route<QueryPorts>[] = [
  defineRoute(
    {
      name: 'readCart',
      method: 'get',
      path: '/carts/{userId}',
      summary: 'The cart now, at a version, or at an instant',
      access: 'carts:read',
      rate: 'reads',
      params: cartPath,
      query: cartQuery,
      headers: conditional,
      answers: {
        200: {
          description: 'The cart; an empty one where nobody has used it.',
          body: cartShape,
          headers: { ...pastHeaders, ETag: z.string() },
        },
        304: { description: 'The client has this version.', headers: { ...pastHeaders, ETag: z.string() } },
      },
      problems: { ...requestProblems, 404: ['version_unknown', 'version_not_reached'], 503: ['database_unavailable'] },
    },
    async (ports: QueryPorts, { params: { userId }, query: { minVersion, version, at }, headers }) => {
      const point: PointInTime | undefined =
        at !== undefined ? { at } : version !== undefined ? { version } : undefined;
      if (point !== undefined) {
        const [past] = await readPastCarts(ports.db, userId, [point]);
        const cart = requirePastCart(past!, point, at === undefined ? 'version' : 'at');
        return answerVersioned(headers, cart, cacheControlOf(past!));
      }
      const cart = minVersion ? await cartOfVersionAtLeast(ports, userId, minVersion) : await ports.readCart(userId);
      return answerVersioned(headers, cart, 'private, no-cache');
    },
  ),
  defineRoute(
    {
      name: 'readOutcome',
      method: 'get',
      path: '/carts/{userId}/commands/{commandId}',
      summary: 'The outcome of a command',
      access: 'carts:read',
      rate: 'reads',
      params: commandPath,
      answers: { 200: { description: 'The recorded outcome.', body: outcomeShape } },
      problems: { ...requestProblems, 404: ['command_unknown'], 503: ['database_unavailable'] },
    },
    async ({ db }: QueryPorts, { params: { userId, commandId } }) => {
      const outcome = await findOutcome(db, userId, commandId);
      if (outcome === undefined) {
        throw new Problem(404, 'command_unknown', `Command ${commandId} has no recorded outcome yet.`, {
          headers: { 'Cache-Control': 'no-store' },
        });
      }
      return { status: 200, body: toPublic(outcome) };
    },
  ),
];

async function cartOfVersionAtLeast(
  { readCart, announcements }: QueryPorts,
  userId: string,
  minVersion: number,
): Promise<CartView> {
  let newestVersion = 0;
  const cart = await awaitProjection(announcements, userId, freshnessSeconds, async () => {
    const now = await readCart(userId);
    newestVersion = now.version;
    return now.version >= minVersion ? now : undefined;
  });
  if (cart !== undefined) return cart;
  throw new Problem(404, 'version_not_reached', `The cart has not reached version ${minVersion} yet.`, {
    newestVersion,
    retryAfterSeconds: 1,
    headers: { 'Cache-Control': 'no-store' },
  });
}

/** The cart with its ETag, or 304 if the client has it. */
function answerVersioned(request: z.output<typeof conditional>, cart: CartView, cacheControl: string): Answer {
  const etag = etagOf(cart);
  const headers = { ETag: etag, 'Cache-Control': cacheControl };
  if (hasCurrent(request, etag)) return { status: 304, headers };
  return { status: 200, headers, body: cart };
}
