import { cartWorkflowId } from '../contract/ids';
import { withPorts } from '../http/route';
import { checkDatabase, connectDatabase } from '../postgres/database';
import { currentForks } from '../postgres/log/forks';
import { listenForProjections } from '../postgres/projection/announcements';
import { createQueryPorts } from '../queries/ports';
import { queryRoutes } from '../queries/routes';
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
    routes: withPorts(queryRoutes, createQueryPorts(db, announcements, runLink)),
    checks: { postgres: () => checkDatabase(db) },
    details: { parkedCarts: async () => (await currentForks(db)).length },
    async close() {
      await Promise.all([announcements.close(), db.destroy()]);
    },
  };
}
