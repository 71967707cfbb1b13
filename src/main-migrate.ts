import { prepareDatabase, requireDatabaseUrl } from './roles/database';
import { runProcess } from './roles/run-process';

/** For deployments whose roles do not own the tables. */
void runProcess(async ({ config, logger }) => {
  await prepareDatabase(requireDatabaseUrl(config));
  logger.info('the schema of the carts is that of this code');
});
