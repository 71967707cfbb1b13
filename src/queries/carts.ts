import { type Request, type Response, Router } from 'express';
import type { Knex } from 'knex';
import { z } from 'zod';
import { Problem } from '../http/problem';
import { cartPath, count, id, instant, validate } from '../http/validation';
import { findOutcome } from '../postgres/log/outcomes';
import type { Announcements } from '../postgres/projection/announcements';
import { awaitProjection } from '../postgres/projection/await-projection';
import { diffRoutes } from './diff';
import { cacheControlOf, requirePastCart } from './past-cart';
import { type CartView, createCartReader, type ReadCart } from './read-cart';
import { type PointInTime, readPastCarts } from './read-past-cart';
import { type RunLink, timelineRoutes } from './timeline';

const cartQuery = z
  .strictObject({ minVersion: count.optional(), version: count.optional(), at: instant.optional() })
  .refine((query) => Object.keys(query).length <= 1, 'must have only one of minVersion, version and at');
const commandPath = cartPath.extend({ commandId: id });

const freshnessSeconds = 5;

/**
 * The routes for reading a cart. They read only from Postgres.
 * @param options.runLink adds to each timeline entry a link to the run that decided it.
 */
export function cartQueryRoutes(
  db: Knex,
  announcements: Announcements,
  options: { readonly runLink?: RunLink | undefined } = {},
): Router {
  const router = Router();
  const readCart = createCartReader(db);

  router.get('/carts/:userId', async (req, res) => {
    const { userId } = validate(cartPath, req.params);
    const { minVersion, version, at } = validate(cartQuery, req.query);
    const point: PointInTime | undefined = at !== undefined ? { at } : version !== undefined ? { version } : undefined;
    if (point !== undefined) {
      const [past] = await readPastCarts(db, userId, [point]);
      const cart = requirePastCart(past!, point, at === undefined ? 'version' : 'at');
      sendVersioned(req, res, cart, cacheControlOf(past!));
      return;
    }
    const cart = minVersion
      ? await cartOfVersionAtLeast(readCart, announcements, userId, minVersion)
      : await readCart(userId);
    sendVersioned(req, res, cart, 'no-cache');
  });

  router.use(timelineRoutes(db, options.runLink), diffRoutes(db));

  router.get('/carts/:userId/commands/:commandId', async (req, res) => {
    const { userId, commandId } = validate(commandPath, req.params);
    const outcome = await findOutcome(db, userId, commandId);
    if (outcome === undefined) {
      throw new Problem(404, 'command_unknown', `Command ${commandId} has no recorded outcome yet.`);
    }
    const { data: _data, expectedVersion: _expectedVersion, ...command } = outcome;
    res.json(command);
  });

  return router;
}

async function cartOfVersionAtLeast(
  readCart: ReadCart,
  announcements: Announcements,
  userId: string,
  minVersion: number,
): Promise<CartView> {
  const cart = await awaitProjection(announcements, userId, freshnessSeconds, async () => {
    const now = await readCart(userId);
    return now.version >= minVersion ? now : undefined;
  });
  if (cart !== undefined) return cart;
  throw new Problem(503, 'version_not_reached', `The cart has not reached version ${minVersion} yet.`, {
    retryAfterSeconds: 1,
  });
}

/** Answers with the cart and its version as ETag, or with 304 if the client has this version. */
function sendVersioned(req: Request, res: Response, cart: CartView, cacheControl: string): void {
  const etag = `"${cart.version}"`;
  res.set({ ETag: etag, 'Cache-Control': cacheControl });
  // Not req.fresh: it would never answer 304 to fetch(), which adds `Cache-Control: no-cache` to conditional requests.
  const clientTags = (req.get('If-None-Match') ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (clientTags.includes(etag) || clientTags.includes('*')) {
    res.status(304).end();
    return;
  }
  res.json(cart);
}
