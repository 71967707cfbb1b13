import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { defineRoute, type Route } from '../http/route';
import { cartPath, count, requestProblems } from '../http/validation';
import type { Announcements } from '../postgres/projection/announcements';
import type { QueryPorts } from './ports';
import { readTimeline } from './read-timeline';
import { createEntryView } from './timeline';

const pageSize = 100;
/** Proxies close a connection on which nothing comes for a minute, and a dead client is noticed by writing to it. */
const heartbeatMs = 15_000;
/** How often Postgres is asked while it announces no projections, as on a replica. */
const pollMs = 1_000;
/** After how long clients connect again. Not all at once, as they have all lost the same process. */
const retryMs = () => 500 + Math.floor(Math.random() * 2_000);
const longestTimer = 2_147_483_647;

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
  async (ports: QueryPorts, { params: { userId }, query, headers, expiresAt = Number.POSITIVE_INFINITY, http }) => {
    const left = new AbortController();
    http.res!.once('close', () => left.abort());
    const toExpiry = AbortSignal.timeout(Math.min(longestTimer, Math.max(0, expiresAt - Date.now())));
    const after = headers['Last-Event-ID'] ?? query.after ?? (await ports.readCart(userId)).version;
    return {
      status: 200,
      headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' },
      body: streamEvents(ports, userId, after, AbortSignal.any([left.signal, toExpiry])),
    };
  },
);

/** Sends the events after a version until `ended`, or until the process stops. It outlives an outage of Postgres. */
async function* streamEvents(
  { db, announcements, runLink }: QueryPorts,
  userId: string,
  after: number,
  ended: AbortSignal,
): AsyncGenerator<string> {
  const toView = createEntryView(userId, runLink);
  const news = waitForNews(announcements, userId, ended);
  let sentAt = Date.now();
  let last = after;
  try {
    yield retry();
    while (!ended.aborted && !announcements.isStopping) {
      news.reset();
      const page = await readTimeline(db, userId, { after: last, limit: pageSize, withRejected: false }).catch(
        () => undefined,
      );
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
      const isSure = announcements.isListening && page !== undefined;
      await news.within(isSure ? heartbeatDue : Math.min(heartbeatDue, pollMs));
    }
    yield retry();
  } finally {
    news.stop();
  }
}

/** Waits for a projection of the cart, for the end of the stream, or for the process to stop. */
function waitForNews(announcements: Announcements, userId: string, ended: AbortSignal) {
  let wake = () => {};
  let isNew = false;
  const onNews = () => {
    isNew = true;
    wake();
  };
  const stopListening = announcements.onProjection(userId, onNews);
  ended.addEventListener('abort', onNews);
  return {
    reset() {
      isNew = false;
    },
    async within(ms: number): Promise<void> {
      if (isNew || ended.aborted || announcements.isStopping) return;
      const waited = new AbortController();
      wake = () => waited.abort();
      await delay(ms, undefined, { signal: waited.signal }).catch(() => undefined);
    },
    stop() {
      stopListening();
      ended.removeEventListener('abort', onNews);
    },
  };
}

const retry = (): string => `retry: ${retryMs()}\n\n`;
