import { openAccessRole } from './roles/access';
import { openCommandApi } from './roles/command-api';
import { prepareDatabase, requireDatabaseUrl } from './roles/database';
import { runProcess } from './roles/run-process';
import { serveRoles } from './roles/serve';

void runProcess(async (self) => {
  const databaseUrl = requireDatabaseUrl(self.config);
  const access = await openAccessRole(self.config, self.logger);
  await prepareDatabase(databaseUrl);
  const role = await openCommandApi({
    temporal: self.config.temporal,
    databaseUrl,
    logger: self.logger,
    stopping: self.stopping,
    sharesLimits: self.config.http.rateLimits?.isShared,
  });
  const url = await serveRoles(self, [role, access], access.authorize, 3000);
  self.logger.info(`the command API is at ${url}`);
});
