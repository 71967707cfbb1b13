import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import type { Logger } from 'pino';
import { prepareDrain } from './drain';
import { type HealthChecks, type HealthDetails, healthRoutes } from './health';
import { describeApi, descriptionRoute } from './openapi';
import { notFound, problemHandler } from './problem';
import { type Authorize, type ServedRoute, withPorts } from './route';
import { toRouter } from './router';

/**
 * Makes the HTTP application of these routes, with those for health. Every error is answered as a problem. A route that
 * is not in the list cannot be served.
 */
export function createApp(options: {
  routes: readonly ServedRoute[];
  authorize: Authorize;
  checks: HealthChecks;
  details?: HealthDetails;
  logger: Logger;
  stopping?: AbortSignal | undefined;
}) {
  const { routes, authorize, checks, details = {}, logger, stopping } = options;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  const served = [
    ...withPorts(healthRoutes, { checks, details, stopping }),
    ...routes,
    ...withPorts([descriptionRoute], { describe: () => description }),
  ];
  const description = describeApi(served);
  app.use(toRouter(served, authorize));
  app.use(notFound);
  app.use(problemHandler(logger));
  return app;
}

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

/** Resolves once the server accepts requests. @throws Error with the port's number if the port is in use. */
export async function listen(app: express.Express, host: string, port: number): Promise<HttpServer> {
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 20_000, keepAliveTimeout: 65_000 }, app);
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
