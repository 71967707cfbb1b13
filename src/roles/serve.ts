import type { Express } from 'express';
import { type AppOptions, createApp, listen } from '../http/app';
import { createRateLimits } from '../http/rate-limits';
import type { Authorize } from '../http/route';
import type { Role } from './role';
import type { Process } from './run-process';

/** Makes one HTTP application of these roles. Once `stopping` is aborted, it is no longer ready. */
export const appOf = (roles: readonly Role[], options: Omit<AppOptions, 'routes' | 'checks' | 'details'>): Express =>
  createApp({
    ...options,
    routes: roles.flatMap((role) => role.routes),
    checks: Object.assign({}, ...roles.map((role) => role.checks)),
    details: Object.assign({}, ...roles.map((role) => role.details)),
  });

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
  const { host, port = defaultPort, http } = config;
  const makeLimiter = roles.find((role) => role.makeLimiter !== undefined)?.makeLimiter;
  const rateLimits = http.rateLimits === undefined ? undefined : createRateLimits(http.rateLimits.factor, makeLimiter);
  const app = appOf(roles, { ...http, authorize, logger, stopping, rateLimits });
  const server = await listen(app, host, port, http);
  defer(() => server.close());
  return `http://${host}:${port}`;
}
