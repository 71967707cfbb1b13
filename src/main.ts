import { assertPortFree } from './embedded/ports';
import { startServers } from './embedded/start';
import { assertAccess, openAccessRole } from './roles/access';
import { openCommandApi } from './roles/command-api';
import { prepareDatabase, seedCatalogue } from './roles/database';
import { openPages } from './roles/pages';
import { openQueryApi } from './roles/query-api';
import { runProcess } from './roles/run-process';
import { serveRoles } from './roles/serve';
import { openWorker } from './roles/worker';

const defaultPort = 3000;

void runProcess(async (self) => {
  assertAccess(self.config);
  await assertPortFree('PORT', self.config.port ?? defaultPort, self.config.host);
  const { temporal, databaseUrl, uiUrl } = await startServers(self.config, self.defer);
  const access = await openAccessRole(self.config, self.logger, self.config.embedded.dataDir);
  await prepareDatabase(databaseUrl);
  await seedCatalogue(databaseUrl);
  const webUiUrl = uiUrl ?? self.config.webUiUrl;
  const { lateAfterMs, cachedCarts, heads, http } = self.config;
  const options = { temporal, databaseUrl, webUiUrl, logger: self.logger, stopping: self.stopping };
  const roles = [
    await openWorker({ ...options, lateAfterMs, cachedCarts, heads }),
    await openQueryApi(options),
    await openCommandApi({ ...options, sharesLimits: http.rateLimits?.isShared }),
    openPages(self.config.pages),
    access,
  ];
  const url = await serveRoles(self, roles, access.authorize, defaultPort);
  console.log(
    [
      '',
      `  Pages    ${url}/`,
      `  API      ${url}`,
      ...(webUiUrl === undefined ? [] : [`  Web UI   ${webUiUrl}/namespaces/${temporal.namespace}/workflows`]),
      '',
      '  Try:',
      ...(access.isLocal ? ['  TOKEN=$(npm run --silent token -- --user alice)'] : []),
      `  curl -X POST ${url}/carts/alice/items ${access.isLocal ? '-H "Authorization: Bearer $TOKEN" ' : ''}` +
        `-H 'Content-Type: application/json' -H 'Prefer: wait=5' ` +
        `-d '{"productId":"mug","quantity":2}'`,
      '',
    ].join('\n'),
  );
});
