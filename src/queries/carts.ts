import { type Request, type Response, Router } from 'express';
import type { Knex } from 'knex';
import { z } from 'zod';
import { Problem } from '../http/problem';
import { cartPath, count, id, pageLimit, validate } from '../http/validation';
import type { Announcements } from '../postgres/announcements';
import { awaitProjection } from '../postgres/await-projection';
import { eventColumns, toEvent } from '../postgres/cart-rows';
import { findOutcome } from '../postgres/outcomes';
import { type CartView, readCart } from './read-cart';

const cartQuery = z.strictObject({ minVersion: count.optional() });
const eventsQuery = z.strictObject({ after: count.default(0), limit: pageLimit });
const commandPath = cartPath.extend({ commandId: id });

const freshnessSeconds = 5;

/** What a storefront reads of a cart: all of it from Postgres. */
export function cartQueryRoutes(db: Knex, announcements: Announcements): Router {
  const router = Router();

  router.get('/carts/:userId', async (req, res) => {
    const { userId } = validate(cartPath, req.params);
    const { minVersion } = validate(cartQuery, req.query);
    const cart = minVersion
      ? await cartOfVersionAtLeast(db, announcements, userId, minVersion)
      : await readCart(db, userId);
    sendVersioned(req, res, cart);
  });

  router.get('/carts/:userId/events', async (req, res) => {
    const { userId } = validate(cartPath, req.params);
    const { after, limit } = validate(eventsQuery, req.query);
    const rows = await db('cart_events')
      .select(eventColumns)
      .where({ user_id: userId })
      .where('version', '>', after)
      .orderBy('version')
      .limit(limit + 1);
    const events = rows.slice(0, limit).map(toEvent);
    const last = events.at(-1);
    if (rows.length <= limit || last === undefined) {
      res.json({ events });
      return;
    }
    const next = `/carts/${encodeURIComponent(userId)}/events?after=${last.version}&limit=${limit}`;
    res.links({ next }).json({ events, next });
  });

  router.get('/carts/:userId/commands/:commandId', async (req, res) => {
    const { userId, commandId } = validate(commandPath, req.params);
    const outcome = await findOutcome(db, userId, commandId);
    if (outcome === undefined) {
      throw new Problem(404, 'command_unknown', `No outcome of command ${commandId} is known, at least not yet.`);
    }
    const { data: _data, expectedVersion: _expectedVersion, ...command } = outcome;
    res.json(command);
  });

  return router;
}

async function cartOfVersionAtLeast(
  db: Knex,
  announcements: Announcements,
  userId: string,
  minVersion: number,
): Promise<CartView> {
  const cart = await awaitProjection(announcements, userId, freshnessSeconds, async () => {
    const now = await readCart(db, userId);
    return now.version >= minVersion ? now : undefined;
  });
  if (cart !== undefined) return cart;
  throw new Problem(503, 'version_not_reached', `The cart has not reached version ${minVersion} yet.`, {
    retryAfterSeconds: 1,
  });
}

/** Answers with the cart and its version as ETag, or 304 where the client has this version. */
function sendVersioned(req: Request, res: Response, cart: CartView): void {
  const etag = `"${cart.version}"`;
  res.set({ ETag: etag, 'Cache-Control': 'no-cache' });
  // Not req.fresh: it takes the no-cache that fetch() adds to a conditional request for a wish to have it all again.
  const known = (req.get('If-None-Match') ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (known.includes(etag) || known.includes('*')) {
    res.status(304).end();
    return;
  }
  res.json(cart);
}
