import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import { z } from 'zod';
import { Problem } from './problem';
import type { Answer, Method, RouteRequest, ServedRoute } from './route';
import { validate } from './validation';

const bodyLimit = '16kb';
const noBody = z.strictObject({}).optional();

/**
 * Serves these routes. Another method of a path that they have is 405, `OPTIONS` names the methods that a path has, and
 * a path must be exactly as the route has it.
 */
export function toRouter(routes: readonly ServedRoute[]): Router {
  const router = Router({ strict: true, caseSensitive: true });
  for (const path of new Set(routes.map((route) => route.path))) {
    const ofPath = routes.filter((route) => route.path === path);
    const handlers = router.route(path.replaceAll(/\{(\w+)\}/g, ':$1'));
    for (const route of ofPath) handlers[route.method](...(route.method === 'get' ? [] : [readBody]), serve(route));
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

const serve =
  (route: ServedRoute): RequestHandler =>
  async (req, res) =>
    sendAnswer(res, await route.handle(readRequest(route, req)));

function readRequest({ params, query, headers, body, method }: ServedRoute, req: Request): RouteRequest {
  return {
    params: params && validate(params, req.params),
    query: query && validate(query, req.query),
    headers: headers && validate(headers, headersOf(req, Object.keys(headers.shape))),
    body: method === 'get' ? undefined : validate(body ?? noBody, req.body),
    http: req,
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
