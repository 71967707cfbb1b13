import { runProcess, serveRoles } from './lifecycle';
import { migrateDatabase, openCommandApi, requireDatabaseUrl } from './roles';

void runProcess(async (self) => {
  const databaseUrl = requireDatabaseUrl(self.config);
  await migrateDatabase(databaseUrl);
  const role = await openCommandApi({ temporal: self.config.temporal, databaseUrl, logger: self.logger });
  const url = await serveRoles(self, [role], 3000);
  self.logger.info(`the command API is at ${url}`);
});
