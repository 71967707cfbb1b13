import { withPorts } from '../http/route';
import { loadPages, type PageSettings, pageRoutes } from '../queries/pages';
import type { Role } from './role';

/** The pages for people. They need nothing but the API. @throws Error if they are not built. */
export const openPages = (settings: PageSettings): Role => ({
  routes: withPorts(pageRoutes, loadPages(settings)),
  checks: {},
  close: async () => {},
});
