import type { Knex } from 'knex';
import { LRUCache } from 'lru-cache';
import type { ProductFacts } from '../domain/facts';
import { createLookUp } from './look-up';

/** A product that the shop sells. Its price is in minor units of the currency. */
export interface Product {
  readonly productId: string;
  readonly name: string;
  readonly unitPrice: number;
  readonly currency: string;
  readonly maxQuantity?: number;
  readonly available: boolean;
}

/** What commands and warnings need of a product. */
export function factsOf(productId: string, product: Product | undefined): ProductFacts {
  if (!product?.available) return { productId, available: false };
  const { unitPrice, currency, maxQuantity } = product;
  return { productId, available: true, unitPrice, currency, ...(maxQuantity === undefined ? {} : { maxQuantity }) };
}

export interface Catalogue {
  /** @throws Error if Postgres is unreachable and this process has never read the product. */
  find(productId: string): Promise<Product | undefined>;
  /** @returns whether the product is new. */
  put(product: Product): Promise<boolean>;
}

interface ProductRow {
  product_id: string;
  name: string;
  unit_price: number;
  currency: string;
  max_quantity: number | null;
  available: boolean;
}

const productsById = `
  select product_id, name, unit_price, currency, max_quantity, available
  from products where product_id = any(?::text[])`;

const rememberedProducts = 10_000;

/** The catalogue in Postgres. While Postgres is unreachable, it returns each product as it was last read. */
export function createCatalogue(db: Knex): Catalogue {
  const lastRead = new LRUCache<string, Product>({ max: rememberedProducts });
  const read = createProductReader(db);
  return {
    async find(productId) {
      try {
        const product = await read(productId);
        if (product !== undefined) lastRead.set(productId, product);
        return product;
      } catch (error) {
        const remembered = lastRead.get(productId);
        if (remembered === undefined) throw error;
        return remembered;
      }
    },
    async put(product) {
      const row = {
        product_id: product.productId,
        name: product.name,
        unit_price: product.unitPrice,
        currency: product.currency,
        max_quantity: product.maxQuantity ?? null,
        available: product.available,
      };
      const [written] = await db('products')
        .insert(row)
        .onConflict('product_id')
        .merge()
        .returning(db.raw('xmax = 0 as is_new'));
      lastRead.set(product.productId, product);
      return written.is_new;
    },
  };
}

/** Reads a product; undefined where there is none. */
export type ReadProduct = (productId: string) => Promise<Product | undefined>;

/** Reads products from Postgres, without a cache. Products that are requested together are read with one statement. */
export function createProductReader(db: Knex): ReadProduct {
  return createLookUp(async (productIds) => {
    const { rows } = await db.raw(productsById, [[...productIds]]).options({ name: 'products-by-id' });
    return new Map<string, Product>(rows.map((row: ProductRow) => [row.product_id, toProduct(row)]));
  });
}

/** Reads a page of the catalogue, in order of product id. */
export async function listProducts(db: Knex, after: string, limit: number): Promise<Product[]> {
  const rows = await db<ProductRow>('products').where('product_id', '>', after).orderBy('product_id').limit(limit);
  return rows.map(toProduct);
}

const toProduct = (row: ProductRow): Product => ({
  productId: row.product_id,
  name: row.name,
  unitPrice: row.unit_price,
  currency: row.currency,
  ...(row.max_quantity === null ? {} : { maxQuantity: row.max_quantity }),
  available: row.available,
});
