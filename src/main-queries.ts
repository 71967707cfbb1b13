import { runProcess, serveRoles } from './lifecycle';
import { migrateDatabase, openQueryApi, requireDatabaseUrl } from './roles';

void runProcess(async (process) => {
  const databaseUrl = requireDatabaseUrl(process.config);
  await migrateDatabase(databaseUrl);
  const role = await openQueryApi({ temporal: process.config.temporal, databaseUrl, logger: process.logger });
  const url = await serveRoles(process, [role], 3001);
  process.logger.info(`the query API is at ${url}`);
});
