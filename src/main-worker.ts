import { openAccessRole } from './roles/access';
import { prepareDatabase, requireDatabaseUrl } from './roles/database';
import { runProcess } from './roles/run-process';
import { serveRoles } from './roles/serve';
import { openWorker } from './roles/worker';

void runProcess(async (self) => {
  const databaseUrl = requireDatabaseUrl(self.config);
  const access = await openAccessRole(self.config, self.logger);
  await prepareDatabase(databaseUrl);
  const { temporal, lateAfterMs, cachedCarts, heads } = self.config;
  const role = await openWorker({ temporal, databaseUrl, lateAfterMs, cachedCarts, heads, logger: self.logger });
  self.defer(access.close);
  const url = await serveRoles(self, [role], access.authorize, 3002);
  self.logger.info(`the worker is polling; its health is at ${url}`);
});
