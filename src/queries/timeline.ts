import { Router } from 'express';
import type { Knex } from 'knex';
import { z } from 'zod';
import type { EventType } from '../domain/events';
import { cartPath, count, id, instant, pageLimit, validate } from '../http/validation';
import { readTimeline } from './read-timeline';

/** Returns the link to the history of a run in the Web UI. */
export type RunLink = (userId: string, runId: string) => string;

const entryTypes: Readonly<Record<EventType | 'CommandRejected', true>> = {
  ItemAdded: true,
  ItemQuantityChanged: true,
  ItemRemoved: true,
  CartCleared: true,
  CartCheckedOut: true,
  CartRestored: true,
  CommandRejected: true,
};
const entryType = z.enum(Object.keys(entryTypes) as (keyof typeof entryTypes)[]);

const timelineQuery = z
  .strictObject({
    after: count.default(0),
    limit: pageLimit,
    rejected: z.literal('include').optional(),
    type: entryType.optional(),
    from: instant.optional(),
    to: instant.optional(),
    productId: id.optional(),
  })
  .refine(({ type, rejected }) => type !== 'CommandRejected' || rejected !== undefined, {
    path: ['type'],
    message: 'CommandRejected requires rejected=include',
  });

/** `GET /carts/{userId}/events`: the cart's events, oldest first; with `rejected=include` also rejected commands. */
export function timelineRoutes(db: Knex, runLink: RunLink | undefined): Router {
  const router = Router();
  router.get('/carts/:userId/events', async (req, res) => {
    const { userId } = validate(cartPath, req.params);
    const { rejected, ...query } = validate(timelineQuery, req.query);
    const page = await readTimeline(db, userId, { ...query, withRejected: rejected !== undefined });
    const events = page.entries.map((entry) => ({
      ...entry,
      ...(runLink === undefined ? {} : { run: runLink(userId, entry.runId) }),
    }));
    if (page.next === undefined) {
      res.json({ events });
      return;
    }
    const { after: _after, limit: _limit, ...filters } = req.query as Record<string, string>;
    const parameters = new URLSearchParams({ after: `${page.next}`, limit: `${query.limit}`, ...filters });
    const next = `/carts/${encodeURIComponent(userId)}/events?${parameters}`;
    res.links({ next }).json({ events, next });
  });
  return router;
}
