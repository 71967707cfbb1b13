import { runProcess, serveRoles } from './lifecycle';
import { migrateDatabase, openQueryApi, requireDatabaseUrl } from './roles';

void runProcess(async (self) => {
  const databaseUrl = requireDatabaseUrl(self.config);
  await migrateDatabase(databaseUrl);
  const role = await openQueryApi({
    temporal: self.config.temporal,
    databaseUrl,
    webUiUrl: self.config.webUiUrl,
    logger: self.logger,
  });
  const url = await serveRoles(self, [role], 3001);
  self.logger.info(`the query API is at ${url}`);
});
