import type { Config } from '../config';
import { createCatalogue, listProducts } from '../postgres/catalogue';
import { connectDatabase } from '../postgres/database';
import { migrate } from '../postgres/migrations/migrate';
import { sampleProducts } from '../postgres/sample-products';

/** Brings the schema up to date. Every role calls it before it opens. */
export async function migrateDatabase(databaseUrl: string): Promise<void> {
  const db = connectDatabase(databaseUrl, { poolSize: 2, name: 'cart-migrations', patienceMs: 600_000 });
  try {
    await migrate(db);
  } finally {
    await db.destroy();
  }
}

/** Puts the sample products into the catalogue where it is empty, so that there is something to buy. */
export async function seedCatalogue(databaseUrl: string): Promise<void> {
  const db = connectDatabase(databaseUrl, { poolSize: 1, name: 'cart-seed' });
  try {
    if ((await listProducts(db, '', 1)).length > 0) return;
    const catalogue = createCatalogue(db);
    for (const product of sampleProducts) await catalogue.put(product);
  } finally {
    await db.destroy();
  }
}

/** @throws Error where no database is configured: a role that runs alone embeds none. */
export function requireDatabaseUrl({ databaseUrl }: Config): string {
  if (databaseUrl !== undefined) return databaseUrl;
  throw new Error(
    'DATABASE_URL is not set. Set it to the Postgres of the carts, or use `npm start`, which brings its own.',
  );
}
