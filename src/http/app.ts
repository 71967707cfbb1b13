import { createServer, type Server, type ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';
import express, { type RequestHandler, type Router } from 'express';
import type { Logger } from 'pino';
import { type HealthChecks, type HealthDetails, healthRoutes } from './health';
import { notFound, Problem, problemHandler } from './problem';

const bodyLimit = '16kb';

/** Makes the HTTP application of these routers, with `/livez` and `/readyz`. Every error is answered as a problem. */
export function createApp(options: {
  routers: readonly Router[];
  checks: HealthChecks;
  details?: HealthDetails;
  logger: Logger;
}) {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.use(healthRoutes(options.checks, options.details ?? {}));
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

/** Resolves once the server accepts requests. @throws Error with the port's number if the port is in use. */
export async function listen(app: express.Express, host: string, port: number): Promise<Server> {
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 20_000, keepAliveTimeout: 65_000 }, app);
  trackAnswers(server);
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
  return server;
}

/**
 * How long connections that are kept alive may still send a request after the server stopped taking new connections.
 */
const lastRequestMs = 1_000;
/** After this time every connection is cut, also one that sends a request slowly or does not read its answer. */
const graceMs = 5_000;

/**
 * Stops taking connections. Requests are still answered on those there are, each with `Connection: close`, so that
 * clients leave without an error. Resolves once all connections are closed, at the latest after five seconds.
 */
export async function closeServer(server: Server): Promise<void> {
  closing.add(server);
  const closed = new Promise<void>((resolve) => {
    // Not server.close(), which at once closes idle connections, on which a request may be on its way.
    NetServer.prototype.close.call(server, () => resolve());
  });
  for (const answer of answersOf.get(server) ?? []) {
    // Once its head is sent, the client expects that it can use the connection again.
    if (!answer.headersSent) answer.shouldKeepAlive = false;
  }
  const timers = [
    setTimeout(() => server.closeIdleConnections(), lastRequestMs),
    setTimeout(() => server.closeAllConnections(), graceMs),
  ];
  await closed;
  for (const timer of timers) clearTimeout(timer);
}

const closing = new WeakSet<Server>();
const answersOf = new WeakMap<Server, Set<ServerResponse>>();

/** Keeps the answers that are not finished, and has those of a closing server close their connection. */
function trackAnswers(server: Server): void {
  const answers = new Set<ServerResponse>();
  answersOf.set(server, answers);
  server.prependListener('request', (_req, res) => {
    if (closing.has(server)) res.shouldKeepAlive = false;
    answers.add(res);
    res.once('close', () => answers.delete(res));
  });
}
