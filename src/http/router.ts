import { pipeline } from 'node:stream/promises';
import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import { z } from 'zod';
import { Problem } from './problem';
import type { RateLimits } from './rate-limits';
import type { Answer, Authorize, Method, ReadGuest, ServedRoute } from './route';
import { validate } from './validation';

const bodyLimit = '16kb';
const noBody = z.strictObject({}).optional();

/**
 * Serves these routes. Another method of a path that they have is 405, `OPTIONS` names the methods that a path has, and
 * a path must be exactly as the route has it.
 * @param rateLimits absent where there are none.
 */
export function toRouter(routes: readonly ServedRoute[], authorize: Authorize, rateLimits?: RateLimits): Router {
  const router = Router({ strict: true, caseSensitive: true });
  for (const path of new Set(routes.map((route) => route.path))) {
    const ofPath = routes.filter((route) => route.path === path);
    const handlers = router.route(path.replaceAll(/\{(\w+)\}/g, ':$1'));
    for (const route of ofPath) {
      handlers[route.method](
        admit(route, authorize, rateLimits),
        ...(route.method === 'get' ? [] : [readBody]),
        serve(route),
      );
    }
    const allow = toAllow(ofPath.map(({ method }) => method));
    handlers.options((_req, res) => void res.status(204).set('Allow', allow).end());
    handlers.all((req) => {
      throw new Problem(405, 'method_not_allowed', `${req.path} has no method ${req.method}, only ${allow}.`, {
        headers: { Allow: allow },
      });
    });
  }
  return router;
}

const toAllow = (methods: readonly Method[]): string =>
  [...methods, ...(methods.includes('get') ? ['head'] : []), 'options'].join(', ').toUpperCase();

/** What is known of a request before its body is read. */
interface Admitted {
  readonly params: { readonly userId?: string } | undefined;
  readonly actor: string;
  readonly expiresAt: number | undefined;
  readonly readGuest: ReadGuest | undefined;
  /** Headers of the answer. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Before the body is read, so that nobody without a token, or with too many requests, can send one. */
const admit =
  (route: ServedRoute, authorize: Authorize, rateLimits: RateLimits | undefined): RequestHandler =>
  async (req, res, next) => {
    const params: Admitted['params'] = route.params && validate(route.params, req.params);
    const address = { name: req.ip ?? 'unknown', isStaff: false };
    const { actor, headers, rateKey, expiresAt, readGuest } = await authorize(route.access, params?.userId, req).catch(
      async (error: unknown) => {
        if (error instanceof Problem && error.status === 401) await rateLimits?.count('rejectedTokens', address, res);
        throw error;
      },
    );
    if (route.rate !== 'health') await rateLimits?.count(route.rate, rateKey ?? address, res);
    if (route.staysOpen) rateLimits?.keepOpen(rateKey ?? address, res);
    res.locals = { params, actor, headers, expiresAt, readGuest } satisfies Admitted;
    next();
  };

const serve =
  (route: ServedRoute): RequestHandler =>
  async (req, res) => {
    const { params, actor, headers, expiresAt, readGuest } = res.locals as Admitted;
    // Also for problems. An answer to one caller must not be given to another by a cache between them.
    if (route.access === 'everybody') res.set('Cache-Control', 'no-cache');
    else res.set('Cache-Control', 'private, no-cache').vary('Authorization, Cart-Token');
    res.set(headers);
    const answer = await route.handle({ params, actor, expiresAt, readGuest, ...readRequest(route, req) });
    await sendAnswer(res, { ...answer, headers: { ...answer.headers, ...headers } });
  };

function readRequest({ query, headers, body, method }: ServedRoute, http: Request) {
  return {
    query: query && validate(query, http.query),
    headers: headers && validate(headers, headersOf(http, Object.keys(headers.shape))),
    body: method === 'get' ? undefined : validate(body ?? noBody, http.body),
    http,
  };
}

const headersOf = (req: Request, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, req.get(name)]));

const notJson = () => new Problem(415, 'unsupported_media_type', 'Send the body as application/json.');

/** A body whose length is known is not read where it is of another type. An empty one in chunks is none. */
const readBody: RequestHandler = (req, res, next) => {
  const length =
    req.headers['transfer-encoding'] === undefined ? Number(req.headers['content-length'] ?? 0) : undefined;
  if (length === 0) return next();
  if (length !== undefined && !req.is('application/json')) throw notJson();
  parseBody(req, res, next);
};

const parseBody = express.json({
  limit: bodyLimit,
  type: () => true,
  verify: (req, _res, body) => {
    if (body.length > 0 && !(req as Request).is('application/json')) throw notJson();
  },
});

async function sendAnswer(res: Response, { status, headers = {}, body }: Answer): Promise<void> {
  res.status(status).set(headers);
  if (isInParts(body)) await sendParts(res, body);
  else if (body === undefined) res.end();
  else if (typeof body === 'string') res.send(body);
  else res.json(body);
}

const isInParts = (body: unknown): body is AsyncIterable<string> =>
  typeof body === 'object' && body !== null && Symbol.asyncIterator in body;

/** Sends no faster than the client reads. A client that goes ends the parts, and is no error. */
async function sendParts(res: Response, parts: AsyncIterable<string>): Promise<void> {
  res.flushHeaders();
  if (res.req.method === 'HEAD') return void res.end();
  await pipeline(parts, res).catch((error: NodeJS.ErrnoException) => {
    if (!goneCodes.includes(error.code ?? '')) throw error;
  });
}

/** Of errors of a connection that its client has ended. */
const goneCodes: readonly string[] = ['ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED', 'ECONNRESET', 'EPIPE'];
