import type { Express } from 'express';
import type { Logger } from 'pino';
import { createApp, listen } from '../http/app';
import type { Authorize } from '../http/route';
import type { Role } from './role';
import type { Process } from './run-process';

/** Makes one HTTP application of these roles. Once `stopping` is aborted, it is no longer ready. */
export function appOf(roles: readonly Role[], authorize: Authorize, logger: Logger, stopping?: AbortSignal): Express {
  return createApp({
    routes: roles.flatMap((role) => role.routes),
    authorize,
    checks: Object.assign({}, ...roles.map((role) => role.checks)),
    details: Object.assign({}, ...roles.map((role) => role.details)),
    logger,
    stopping,
  });
}

/**
 * Serves these roles over HTTP. When the process ends, it stops serving before it closes them.
 * @returns the address.
 */
export async function serveRoles(
  { config, logger, stopping, defer }: Process,
  roles: readonly Role[],
  authorize: Authorize,
  defaultPort: number,
): Promise<string> {
  for (const role of roles) defer(role.close);
  const port = config.port ?? defaultPort;
  const server = await listen(appOf(roles, authorize, logger, stopping), config.host, port);
  defer(() => server.close());
  return `http://${config.host}:${port}`;
}
