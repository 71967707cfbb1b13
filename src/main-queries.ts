import { openAccessRole } from './roles/access';
import { prepareDatabase, requireDatabaseUrl } from './roles/database';
import { openPages } from './roles/pages';
import { openQueryApi } from './roles/query-api';
import { runProcess } from './roles/run-process';
import { serveRoles } from './roles/serve';

void runProcess(async (self) => {
  const databaseUrl = requireDatabaseUrl(self.config);
  const access = await openAccessRole(self.config, self.logger);
  await prepareDatabase(databaseUrl);
  const role = await openQueryApi({
    temporal: self.config.temporal,
    databaseUrl,
    webUiUrl: self.config.webUiUrl,
    logger: self.logger,
    stopping: self.stopping,
  });
  self.defer(access.close);
  const url = await serveRoles(self, [role, openPages(self.config.pages)], access.authorize, 3001);
  self.logger.info(`the query API is at ${url}`);
});
