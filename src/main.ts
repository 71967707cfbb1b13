import { assertPortFree } from './embedded/ports';
import { sampleProducts } from './embedded/products';
import { startServers } from './embedded/start';
import { runProcess, serveRoles } from './lifecycle';
import { createCatalogue, listProducts } from './postgres/catalogue';
import { connectDatabase } from './postgres/database';
import { migrateDatabase, openCommandApi, openQueryApi, openWorker } from './roles';

const defaultPort = 3000;

void runProcess(async (self) => {
  await assertPortFree('PORT', self.config.port ?? defaultPort, self.config.host);
  const { temporal, databaseUrl, uiUrl } = await startServers(self);
  await migrateDatabase(databaseUrl);
  await seed(databaseUrl);
  const webUiUrl = uiUrl ?? self.config.webUiUrl;
  const options = { temporal, databaseUrl, webUiUrl, logger: self.logger };
  const roles = [await openWorker(options), await openQueryApi(options), await openCommandApi(options)];
  const url = await serveRoles(self, roles, defaultPort);
  console.log(
    [
      '',
      `  API      ${url}`,
      ...(webUiUrl === undefined ? [] : [`  Web UI   ${webUiUrl}/namespaces/${temporal.namespace}/workflows`]),
      '',
      '  Try:',
      `  curl -X POST ${url}/carts/alice/items -H 'Content-Type: application/json' -H 'Prefer: wait=5' -d '{"productId":"mug","quantity":2}'`,
      '',
    ].join('\n'),
  );
});

/** Puts something into an empty catalogue, so that there is something to buy. */
async function seed(databaseUrl: string): Promise<void> {
  const db = connectDatabase(databaseUrl, { poolSize: 1, name: 'cart-seed' });
  try {
    if ((await listProducts(db, '', 1)).length > 0) return;
    const catalogue = createCatalogue(db);
    for (const product of sampleProducts) await catalogue.put(product);
  } finally {
    await db.destroy();
  }
}
