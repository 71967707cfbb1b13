import { runProcess, serveRoles } from './lifecycle';
import { migrateDatabase, openCommandApi, requireDatabaseUrl } from './roles';

void runProcess(async (process) => {
  const databaseUrl = requireDatabaseUrl(process.config);
  await migrateDatabase(databaseUrl);
  const role = await openCommandApi({ temporal: process.config.temporal, databaseUrl, logger: process.logger });
  const url = await serveRoles(process, [role], 3000);
  process.logger.info(`the command API is at ${url}`);
});
