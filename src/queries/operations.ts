import { z } from 'zod';
import { isCurrency } from '../domain/fields';
import { defineRoute, linkToNext, type Route } from '../http/route';
import { foundCartsShape, operationsShape } from '../http/shapes';
import { count, id, instant, pageLimit, productId, requestProblems, userId } from '../http/validation';
import type { QueryPorts } from './ports';
import { findCarts, readOperations } from './read-operations';

const search = z.strictObject({
  user: userId.optional().meta({ description: "The first characters of the user's id." }),
  productId: productId.optional().meta({ description: 'Carts that have this product.' }),
  currency: z
    .string()
    .refine(isCurrency, 'must be a code of three capital letters')
    .optional()
    .meta({ examples: ['EUR'] }),
  status: z.enum(['empty', 'open', 'merged']).optional(),
  minValue: count.optional().meta({ description: 'Carts of at least this value, in minor units.' }),
  maxValue: count.optional().meta({ description: 'Carts of at most this value, in minor units.' }),
  unchangedSince: instant.optional().meta({ description: 'Carts that have not changed since then.' }),
  after: z
    .union([id, z.literal('')])
    .default('')
    .meta({ examples: ['alice'] }),
  limit: pageLimit,
});

const forStaff = { method: 'get', access: 'reports:read', rate: 'reports' } as const;

/** What operators want to know of the running system, as far as Postgres has it. */
export const operationRoutes: readonly Route<QueryPorts>[] = [
  defineRoute(
    {
      ...forStaff,
      name: 'readOperations',
      path: '/operations',
      summary: 'What is going on: commands, rejections, projection, workers, tasks of operators, parked carts',
      answers: { 200: { description: 'The last hour, and processes of the last day.', body: operationsShape } },
      problems: { 503: ['database_unavailable'] },
    },
    async ({ db }: QueryPorts) => ({
      status: 200,
      headers: { 'Cache-Control': 'no-store' },
      body: await readOperations(db),
    }),
  ),
  defineRoute(
    {
      ...forStaff,
      name: 'findCarts',
      path: '/operations/carts',
      summary: 'Finds carts by user, product, value, status and age',
      query: search,
      answers: { 200: { description: 'A page.', body: foundCartsShape, headers: { Link: z.string().optional() } } },
      problems: { ...requestProblems, 503: ['database_unavailable'] },
    },
    async ({ db }: QueryPorts, { query, http }) => {
      const found = await findCarts(db, { ...query, limit: query.limit + 1 });
      const carts = found.slice(0, query.limit);
      const headers = { 'Cache-Control': 'no-store' };
      if (found.length <= query.limit) return { status: 200, headers, body: { carts } };
      const { after: _after, ...filters } = http.query as Record<string, string>;
      const parameters = new URLSearchParams({ ...filters, after: carts.at(-1)!.userId });
      const next = `/operations/carts?${parameters}`;
      return { status: 200, headers: { ...headers, ...linkToNext(next) }, body: { carts, next } };
    },
  ),
];
