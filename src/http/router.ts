import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import { z } from 'zod';
import { Problem } from './problem';
import type { Answer, Authorize, Method, ServedRoute } from './route';
import { validate } from './validation';

const bodyLimit = '16kb';
const noBody = z.strictObject({}).optional();

/**
 * Serves these routes. Another method of a path that they have is 405, `OPTIONS` names the methods that a path has, and
 * a path must be exactly as the route has it.
 */
export function toRouter(routes: readonly ServedRoute[], authorize: Authorize): Router {
  const router = Router({ strict: true, caseSensitive: true });
  for (const path of new Set(routes.map((route) => route.path))) {
    const ofPath = routes.filter((route) => route.path === path);
    const handlers = router.route(path.replaceAll(/\{(\w+)\}/g, ':$1'));
    for (const route of ofPath) {
      handlers[route.method](admit(route, authorize), ...(route.method === 'get' ? [] : [readBody]), serve(route));
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
}

/** Before the body is read, so that nobody without a token can send one. */
const admit =
  (route: ServedRoute, authorize: Authorize): RequestHandler =>
  async (req, res, next) => {
    const params: Admitted['params'] = route.params && validate(route.params, req.params);
    const { actor, headers } = await authorize(route.access, params?.userId, req);
    res.locals = { params, actor } satisfies Admitted;
    res.set(headers);
    next();
  };

const serve =
  (route: ServedRoute): RequestHandler =>
  async (req, res) =>
    sendAnswer(res, await route.handle({ ...(res.locals as Admitted), ...readRequest(route, req) }));

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

/** Also reads a body of another type, so that an empty one, which may come without any length or type, is none. */
const readBody = express.json({
  limit: bodyLimit,
  type: () => true,
  verify: (req, _res, body) => {
    if (body.length > 0 && !(req as Request).is('application/json')) {
      throw new Problem(415, 'unsupported_media_type', 'Send the body as application/json.');
    }
  },
});

function sendAnswer(res: Response, { status, headers = {}, body }: Answer): void {
  res.status(status).set(headers);
  if (body === undefined) res.end();
  else if (typeof body === 'string') res.send(body);
  else res.json(body);
}
