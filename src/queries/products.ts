import { Router } from 'express';
import type { Knex } from 'knex';
import { z } from 'zod';
import { Problem } from '../http/problem';
import { id, pageLimit, validate } from '../http/validation';
import { createProductReader, listProducts } from '../postgres/catalogue';

const productPath = z.object({ productId: id });
const productsQuery = z.strictObject({ after: z.union([id, z.literal('')]).default(''), limit: pageLimit });

/** `GET /products`, in pages, and `GET /products/{productId}`: the catalogue with its current prices. */
export function productQueryRoutes(db: Knex): Router {
  const router = Router();
  const readProduct = createProductReader(db);

  router.get('/products', async (req, res) => {
    const { after, limit } = validate(productsQuery, req.query);
    const found = await listProducts(db, after, limit + 1);
    const products = found.slice(0, limit);
    const last = products.at(-1);
    if (found.length <= limit || last === undefined) {
      res.json({ products });
      return;
    }
    const next = `/products?after=${encodeURIComponent(last.productId)}&limit=${limit}`;
    res.links({ next }).json({ products, next });
  });

  router.get('/products/:productId', async (req, res) => {
    const { productId } = validate(productPath, req.params);
    const product = await readProduct(productId);
    if (product === undefined) throw new Problem(404, 'product_unknown', `There is no product ${productId}.`);
    res.json(product);
  });

  return router;
}
