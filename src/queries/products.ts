import { z } from 'zod';
import { Problem } from '../http/problem';
import { defineRoute, linkToNext, type Route } from '../http/route';
import { productShape, productsShape } from '../http/shapes';
import { id, pageLimit, productPath, requestProblems } from '../http/validation';
import { listProducts } from '../postgres/catalogue';
import type { QueryPorts } from './ports';

const productsQuery = z.strictObject({
  after: z
    .union([id, z.literal('')])
    .default('')
    .meta({ description: 'Begin after this product.', examples: ['espresso'] }),
  limit: pageLimit,
});

/** The routes that read the catalogue, with its current prices. */
export const productQueryRoutes: readonly Route<QueryPorts>[] = [
  defineRoute(
    {
      name: 'listProducts',
      method: 'get',
      path: '/products',
      summary: 'The catalogue, by the ids of the products',
      access: 'everybody',
      rate: 'public',
      query: productsQuery,
      answers: { 200: { description: 'A page.', body: productsShape, headers: { Link: z.string().optional() } } },
      problems: { ...requestProblems, 503: ['database_unavailable'] },
    },
    async ({ db }: QueryPorts, { query: { after, limit } }) => {
      const found = await listProducts(db, after, limit + 1);
      const products = found.slice(0, limit);
      const last = products.at(-1);
      if (found.length <= limit || last === undefined) return { status: 200, body: { products } };
      const next = `/products?after=${encodeURIComponent(last.productId)}&limit=${limit}`;
      return { status: 200, headers: linkToNext(next), body: { products, next } };
    },
  ),
  defineRoute(
    {
      name: 'readProduct',
      method: 'get',
      path: '/products/{productId}',
      summary: 'A product',
      access: 'everybody',
      rate: 'public',
      params: productPath,
      answers: { 200: { description: 'The product.', body: productShape } },
      problems: { ...requestProblems, 404: ['product_unknown'], 503: ['database_unavailable'] },
    },
    async ({ readProduct }: QueryPorts, { params: { productId } }) => {
      const product = await readProduct(productId);
      if (product === undefined) throw new Problem(404, 'product_unknown', `There is no product ${productId}.`);
      return { status: 200, body: product };
    },
  ),
];
