import { runProcess, serveRoles } from './lifecycle';
import { migrateDatabase, openWorker, requireDatabaseUrl } from './roles';

void runProcess(async (self) => {
  const databaseUrl = requireDatabaseUrl(self.config);
  await migrateDatabase(databaseUrl);
  const role = await openWorker({ temporal: self.config.temporal, databaseUrl, logger: self.logger });
  const url = await serveRoles(self, [role], 3002);
  self.logger.info(`the worker polls; its health is at ${url}`);
});
