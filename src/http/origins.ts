import { isIP } from 'node:net';
import cors from 'cors';
import type { RequestHandler } from 'express';
import { Problem } from './problem';
import type { RouteDescription } from './route';

/** How browsers may reach a process. Other clients are not concerned. */
export interface Origins {
  /** The names of this service in addresses. Numeric addresses and `localhost` need no entry. */
  readonly hosts: readonly string[];
  /** The origins whose pages may call it: `https://shop.example`. */
  readonly allowed: readonly string[];
}

/**
 * Answers only requests for this service. Anybody can let a name point at an address that they cannot reach, and a
 * browser takes a page of this name and the service for one origin. A numeric address cannot be taken in this way.
 */
export const checkHost =
  ({ hosts }: Origins): RequestHandler =>
  (req, _res, next) => {
    const { host } = req.headers;
    const name = host === undefined ? 'localhost' : hostnameOf(host);
    if (name === 'localhost' || isIP(name.replaceAll(/[[\]]/g, '')) || hosts.includes(name)) return next();
    throw new Problem(
      421,
      'host_unknown',
      `This service is not ${host}. Its operator sets its names in ALLOWED_HOSTS.`,
    );
  };

function hostnameOf(host: string): string {
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : '';
}

const unsafeMethods: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/**
 * Rejects what a page of another origin wants to change. A browser sends such a request without asking first where it
 * has no body, so that withholding the answer is not enough.
 */
export const checkOrigin =
  ({ allowed }: Origins): RequestHandler =>
  (req, _res, next) => {
    if (!unsafeMethods.has(req.method)) return next();
    const { origin, host, 'sec-fetch-site': site } = req.headers;
    const isOwn =
      origin === undefined
        ? site === undefined || site === 'same-origin' || site === 'none'
        : allowed.includes(origin) || (URL.canParse(origin) && new URL(origin).host === host);
    if (isOwn) return next();
    throw new Problem(
      403,
      'cross_site_request',
      `Pages of ${origin ?? 'another site'} may not change anything here. The operator names origins in CORS_ORIGINS.`,
    );
  };

/** Lets pages of the allowed origins send what these routes read, and read what they answer (the Fetch standard). */
export function allowOrigins({ allowed }: Origins, routes: readonly RouteDescription[]): RequestHandler {
  return cors({
    origin: [...allowed],
    methods: [...new Set(routes.map(({ method }) => method.toUpperCase()))],
    allowedHeaders: [
      'Authorization',
      'Cart-Token',
      'Content-Type',
      ...namesOf(routes.map(({ headers }) => headers?.shape)),
    ],
    exposedHeaders: [
      ...['Cart-Token', 'RateLimit', 'RateLimit-Policy', 'Retry-After', 'WWW-Authenticate'],
      ...namesOf(routes.flatMap(({ answers }) => Object.values(answers)).map(({ headers }) => headers)),
    ],
    maxAge: 600,
    preflightContinue: true,
  });
}

const namesOf = (headers: readonly (object | undefined)[]): string[] => [
  ...new Set(headers.flatMap((each) => Object.keys(each ?? {}))),
];
