import { z } from 'zod';
import { defineRoute, linkToNext, type Route, type RouteRequest } from '../http/route';
import { eventType, type TimelineEntry, timelineShape } from '../http/shapes';
import { cartPath, count, instant, pageLimit, productId, requestProblems } from '../http/validation';
import type { QueryPorts, RunLink } from './ports';
import { readTimeline } from './read-timeline';

const timelineQuery = z
  .strictObject({
    after: count.default(0).meta({ description: 'Begin after this version; with rejected commands, this sequence.' }),
    limit: pageLimit,
    rejected: z.literal('include').optional().meta({ description: 'Rejected commands too, each at its place.' }),
    type: z.enum([...eventType.options, 'CommandRejected']).optional(),
    from: instant.optional().meta({ description: 'Entries at this instant or later.' }),
    to: instant.optional().meta({ description: 'Entries before this instant.' }),
    productId: productId.optional().meta({ description: 'Only entries that name this product.' }),
  })
  .refine(({ type, rejected }) => type !== 'CommandRejected' || rejected !== undefined, {
    path: ['type'],
    message: 'CommandRejected requires rejected=include',
  });

export const timelineRoute: Route<QueryPorts> = defineRoute(
  {
    name: 'readTimeline',
    method: 'get',
    path: '/carts/{userId}/events',
    summary: 'The timeline: the events of the cart, oldest first',
    access: 'carts:read',
    rate: 'reads',
    params: cartPath,
    query: timelineQuery,
    answers: { 200: { description: 'A page.', body: timelineShape, headers: { Link: z.string().optional() } } },
    problems: { ...requestProblems, 503: ['database_unavailable'] },
  },
  async ({ db, runLink }: QueryPorts, { params: { userId }, query: { rejected, ...query }, http, ...caller }) => {
    const page = await readTimeline(db, userId, { ...query, withRejected: rejected !== undefined });
    const events = page.entries.map(createEntryView(userId, runLinkFor(caller, runLink)));
    if (page.next === undefined) return { status: 200, body: { events } };
    const { after: _after, limit: _limit, ...filters } = http.query as Record<string, string>;
    const parameters = new URLSearchParams({ after: `${page.next}`, limit: `${query.limit}`, ...filters });
    const next = `/carts/${encodeURIComponent(userId)}/events?${parameters}`;
    return { status: 200, headers: linkToNext(next), body: { events, next } };
  },
);

/** Temporal's Web UI is for staff; where nobody is asked for a token, for all. */
export const runLinkFor = (
  { actor, readGuest }: Pick<RouteRequest, 'actor' | 'readGuest'>,
  runLink: RunLink | undefined,
): RunLink | undefined => (readGuest === undefined || actor.startsWith('staff:') ? runLink : undefined);

/** Adds to an entry for whom an agent acted, and the link to its run. */
export const createEntryView =
  (userId: string, runLink: RunLink | undefined) =>
  (entry: TimelineEntry): TimelineEntry => ({
    ...entry,
    ...(isAgent(entry.actor) ? { onBehalfOf: userId } : {}),
    ...(runLink === undefined ? {} : { run: runLink(userId, entry.runId) }),
  });

/** An agent acts for the user of the cart, and for no other one. */
const isAgent = (actor: string): boolean => actor.startsWith('agent:');
