import type { Knex } from 'knex';
import { z } from 'zod';
import { whenEnded } from '../http/ended';
import { defineRoute, type Route } from '../http/route';
import { cartPath, count, requestProblems } from '../http/validation';
import { isDatabaseAway } from '../postgres/database';
import { listenForNews } from '../postgres/projection/news';
import type { QueryPorts } from './ports';
import { readTimeline } from './read-timeline';
import { createEntryView, runLinkFor } from './timeline';

const pageSize = 100;
/** Proxies close a connection on which nothing comes for a minute, and a dead client is noticed by writing to it. */
const heartbeatMs = 15_000;
/** How often Postgres is asked while it announces no projections, as on a replica. */
const pollMs = 1_000;
/** After how long clients connect again. Not all at once, as they have all lost the same process. */
const retryMs = () => 500 + Math.floor(Math.random() * 2_000);

/** Server-sent events, as https://html.spec.whatwg.org/multipage/server-sent-events.html has them; ids are versions. */
export const streamRoute: Route<QueryPorts> = defineRoute(
  {
    name: 'streamEvents',
    method: 'get',
    path: '/carts/{userId}/stream',
    summary: 'The events of the cart as they come: each once, in order',
    access: 'carts:read',
    rate: 'reads',
    staysOpen: true,
    params: cartPath,
    query: z.strictObject({
      after: count.optional().meta({ description: 'Begin after this version; if absent, with the next event.' }),
    }),
    headers: z.object({
      'Last-Event-ID': count.optional().meta({ description: 'As `after`, and before it: browsers send it again.' }),
    }),
    answers: { 200: { description: 'Entries of the timeline.', textTypes: ['text/event-stream'] } },
    problems: { ...requestProblems, 503: ['database_unavailable'] },
  },
  async (
    ports: QueryPorts,
    { params: { userId }, query, headers, expiresAt = Number.POSITIVE_INFINITY, http, ...caller },
  ) => {
    const left = new AbortController();
    whenEnded(http.res!, () => left.abort());
    const after = headers['Last-Event-ID'] ?? query.after ?? (await ports.readCart(userId)).version;
    return {
      status: 200,
      headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' },
      body: streamEvents(
        { ...ports, runLink: runLinkFor(caller, ports.runLink) },
        { userId, after, expiresAt, left: left.signal },
      ),
    };
  },
);

interface StreamOptions {
  readonly userId: string;
  readonly after: number;
  readonly expiresAt: number;
  /** Aborted when the client has left. */
  readonly left: AbortSignal;
}

/** Sends the events after a version, until the token ends or the process stops. It outlives an outage of Postgres. */
async function* streamEvents(
  { db, announcements, runLink }: QueryPorts,
  { userId, after, expiresAt, left }: StreamOptions,
): AsyncGenerator<string> {
  const toView = createEntryView(userId, runLink);
  const news = listenForNews(announcements, userId);
  left.addEventListener('abort', news.wake);
  const isOver = () => left.aborted || announcements.isStopping || Date.now() >= expiresAt;
  let sentAt = Date.now();
  let last = after;
  try {
    yield retry();
    while (!isOver()) {
      news.reset();
      const page = await readPage(db, userId, last);
      for (const entry of page?.entries ?? []) {
        if (entry.type === 'CommandRejected') continue;
        yield `id: ${entry.version}\ndata: ${JSON.stringify(toView(entry))}\n\n`;
        last = entry.version;
        sentAt = Date.now();
      }
      if (page?.next !== undefined) continue;
      const heartbeatDue = sentAt + heartbeatMs - Date.now();
      if (heartbeatDue <= 0) {
        yield ':\n\n';
        sentAt = Date.now();
        continue;
      }
      if (isOver()) break;
      const isSure = announcements.isListening && page !== undefined;
      await news.within(Math.min(heartbeatDue, isSure ? heartbeatDue : pollMs, expiresAt - Date.now()));
    }
    yield retry();
  } finally {
    news.stop();
    left.removeEventListener('abort', news.wake);
  }
}

/** Reads the next events; undefined while Postgres does not answer. */
async function readPage(db: Knex, userId: string, after: number) {
  try {
    return await readTimeline(db, userId, { after, limit: pageSize, withRejected: false });
  } catch (error) {
    if (!isDatabaseAway(error)) throw error;
    return undefined;
  }
}

const retry = (): string => `retry: ${retryMs()}\n\n`;
