import type { Config } from '../config';
import { createCatalogue, listProducts } from '../postgres/catalogue';
import { connectDatabase } from '../postgres/database';
import { prepareSchema } from '../postgres/migrations/migrate';
import { sampleProducts } from '../postgres/sample-products';

/** Migrates the schema, or checks it where this user does not own it. Every role calls this before it opens. */
export async function prepareDatabase(databaseUrl: string): Promise<void> {
  const db = connectDatabase(databaseUrl, { poolSize: 2, name: 'cart-migrations', queryTimeoutMs: 600_000 });
  try {
    await prepareSchema(db);
  } finally {
    await db.destroy();
  }
}

/** Fills an empty catalogue with the sample products, so that there is something to buy. */
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

/** @throws Error if no database is configured. A role that runs alone does not start one. */
export function requireDatabaseUrl({ databaseUrl }: Config): string {
  if (databaseUrl !== undefined) return databaseUrl;
  throw new Error(
    'DATABASE_URL is not set. Set it to the Postgres of the carts, or use `npm start`, which starts its own.',
  );
}
