import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type RequestHandler, type Router } from 'express';
import type { Logger } from 'pino';
import { prepareDrain } from './drain';
import { type HealthChecks, type HealthDetails, healthRoutes } from './health';
import { notFound, Problem, problemHandler } from './problem';

const bodyLimit = '16kb';

/** Makes the HTTP application of these routers, with `/livez` and `/readyz`. Every error is answered as a problem. */
export function createApp(options: {
  routers: readonly Router[];
  checks: HealthChecks;
  details?: HealthDetails;
  logger: Logger;
  stopping?: AbortSignal | undefined;
}) {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.use(healthRoutes(options.checks, options.details ?? {}, options.stopping));
  app.use(requireJson, express.json({ limit: bodyLimit }));
  for (const router of options.routers) app.use(router);
  app.use(notFound);
  app.use(problemHandler(options.logger));
  return app;
}

const requireJson: RequestHandler = (req, _res, next) => {
  const hasBody = req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0;
  if (hasBody && !req.is('application/json')) {
    throw new Problem(415, 'unsupported_media_type', 'Send the body as application/json.');
  }
  next();
};

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
