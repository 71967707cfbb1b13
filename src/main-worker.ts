import { runProcess, serveRoles } from './lifecycle';
import { migrateDatabase, openWorker, requireDatabaseUrl } from './roles';

void runProcess(async (process) => {
  const databaseUrl = requireDatabaseUrl(process.config);
  await migrateDatabase(databaseUrl);
  const role = await openWorker({ temporal: process.config.temporal, databaseUrl, logger: process.logger });
  const url = await serveRoles(process, [role], 3002);
  process.logger.info(`the worker polls; its health is at ${url}`);
});
