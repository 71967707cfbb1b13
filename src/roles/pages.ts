import type { Config } from '../config';
import { withPorts } from '../http/route';
import { loadPages, pageRoutes } from '../queries/pages';
import type { Role } from './role';

/** The pages for people. They need nothing but the API. @throws Error if they are not built. */
export function openPages({ commandOrigin, access }: Config): Role {
  return {
    routes: withPorts(
      pageRoutes,
      loadPages({ commandOrigin, staffAudience: access.staffAudience, isOpen: access.isOff }),
    ),
    checks: {},
    close: async () => {},
  };
}
