import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { apiPageRoutes, loadApiPage } from './api-page';
import { prepareDrain } from './drain';
import { type HealthChecks, type HealthDetails, healthRoutes } from './health';
import { describeApi, descriptionRoute } from './openapi';
import { allowOrigins, checkHost, checkOrigin, type Origins } from './origins';
import { notFound, problemHandler } from './problem';
import type { RateLimits } from './rate-limits';
import { type Authorize, type ServedRoute, withPorts } from './route';
import { toRouter } from './router';

export interface AppOptions {
  readonly routes: readonly ServedRoute[];
  readonly authorize: Authorize;
  readonly checks: HealthChecks;
  readonly details?: HealthDetails;
  readonly logger: Logger;
  readonly stopping?: AbortSignal | undefined;
  readonly origins?: Origins;
  /** Which proxies say truly whose request it is: a number of hops, or addresses. */
  readonly trustedProxies?: number | readonly string[];
  /** Absent where there are none. */
  readonly rateLimits?: RateLimits | undefined;
}

/**
 * Makes the HTTP application of these routes, with those for health. Every error is answered as a problem. A route that
 * is not in the list cannot be served.
 */
export function createApp({
  routes,
  authorize,
  checks,
  details = {},
  logger,
  stopping,
  origins = { hosts: [], allowed: [] },
  trustedProxies = 0,
  rateLimits,
}: AppOptions) {
  const app = express();
  app.disable('etag');
  app.set('query parser', 'simple');
  app.set('trust proxy', trustedProxies);
  const served = [
    ...withPorts(healthRoutes, { checks, details, logger, stopping }),
    ...routes,
    ...withPorts([descriptionRoute], { describe: () => description }),
    ...withPorts(apiPageRoutes, loadApiPage()),
  ];
  const description = describeApi(served);
  // Answers of routes say more; this is for problems before a route answers.
  app.use((_req, res, next) => {
    res.set('Cache-Control', 'no-store');
    next();
  });
  app.use(helmet({ contentSecurityPolicy: { useDefaults: false, directives: noContent } }));
  app.use(checkHost(origins), allowOrigins(origins, served), checkOrigin(origins));
  app.use(toRouter(served, authorize, rateLimits));
  app.use(notFound);
  app.use(problemHandler(logger));
  return app;
}

/** An answer that a browser shows as a page loads nothing and is in no frame. */
const noContent = { defaultSrc: ["'none'"], baseUri: ["'none'"], formAction: ["'none'"], frameAncestors: ["'none'"] };

/** A listening server. */
export interface HttpServer {
  readonly port: number;
  /**
   * Stops accepting connections and answers the requests under way. Resolves once all connections are closed, at the
   * latest after the grace time, when it destroys those that are left.
   */
  close(graceMs?: number): Promise<void>;
}

/** Longer than a request takes while Postgres or Temporal does not answer. */
const defaultGraceMs = 5_500;

/** Limits of the connections to a server. */
export interface ConnectionLimits {
  /** How long a connection without a request stays open: longer than a load balancer before it keeps one. */
  readonly keepAliveMs: number;
  /** Further connections are closed at once. */
  readonly maxConnections: number;
}

const defaultLimits: ConnectionLimits = { keepAliveMs: 65_000, maxConnections: 10_000 };
const timeouts = { headersTimeout: 10_000, requestTimeout: 20_000 };

/** Resolves once the server accepts requests. @throws Error with the port's number if the port is in use. */
export async function listen(
  app: express.Express,
  host: string,
  port: number,
  { keepAliveMs, maxConnections } = defaultLimits,
): Promise<HttpServer> {
  const server = createServer({ ...timeouts, keepAliveTimeout: keepAliveMs }, app);
  server.maxConnections = maxConnections;
  const drain = prepareDrain(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(`Port ${port} is in use: stop the process that uses it, or set PORT to another port.`)
          : error,
      ),
    );
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: (graceMs = defaultGraceMs) => drain(graceMs),
  };
}
