import { cartWorkflowId } from '../contract/ids';
import { checkDatabase, connectDatabase } from '../postgres/database';
import { currentForks } from '../postgres/log/forks';
import { listenForProjections } from '../postgres/projection/announcements';
import { cartQueryRoutes } from '../queries/carts';
import { productQueryRoutes } from '../queries/products';
import { reportRoutes } from '../queries/reports';
import type { Role, RoleOptions } from './role';

/** The query side: HTTP ← SQL. It needs only Postgres. */
export async function openQueryApi({ temporal, databaseUrl, webUiUrl, logger, stopping }: RoleOptions): Promise<Role> {
  const db = connectDatabase(databaseUrl, { poolSize: 10, readOnly: true, name: 'cart-queries' });
  const announcements = listenForProjections(databaseUrl, logger, stopping);
  const workflows = `${webUiUrl}/namespaces/${temporal.namespace}/workflows`;
  const runLink = webUiUrl
    ? (userId: string, runId: string) => `${workflows}/${encodeURIComponent(cartWorkflowId(userId))}/${runId}/history`
    : undefined;
  return {
    routers: [cartQueryRoutes(db, announcements, { runLink }), productQueryRoutes(db), reportRoutes(db)],
    checks: { postgres: () => checkDatabase(db) },
    details: { forks: () => currentForks(db) },
    async close() {
      await Promise.all([announcements.close(), db.destroy()]);
    },
  };
}
