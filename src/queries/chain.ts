import { defineRoute, type Route } from '../http/route';
import { chainShape } from '../http/shapes';
import { cartPath, requestProblems } from '../http/validation';
import { readChainedLog } from '../postgres/log/read-logs';
import { checkChain } from '../postgres/log/verify-chain';
import type { QueryPorts } from './ports';

/** A chain that was changed at its begin is broken at every place after it. */
const mostProblems = 20;

/** Hashes each decision of a cart anew. Who keeps the head can show later that nothing before it was changed. */
export const chainRoute: Route<QueryPorts> = defineRoute(
  {
    name: 'readChain',
    method: 'get',
    path: '/carts/{userId}/chain',
    summary: 'Whether the hash chain over the decisions of the cart is intact, and its head',
    access: 'carts:read',
    rate: 'reports',
    params: cartPath,
    answers: { 200: { description: 'The hash chain.', body: chainShape } },
    problems: { ...requestProblems, 503: ['database_unavailable'] },
  },
  async ({ db }: QueryPorts, { params: { userId } }) => {
    const { log, salt, decisions } = await db.transaction((trx) => readChainedLog(trx, userId), {
      isolationLevel: 'repeatable read',
      readOnly: true,
    });
    const problems = checkChain(log, salt, decisions).map(({ where: _where, ...problem }) => problem);
    const body = {
      ...{ userId, decisions: decisions.length, head: decisions.at(-1)?.hash?.toString('hex') ?? null },
      ...{ isIntact: problems.length === 0, problems: problems.slice(0, mostProblems) },
    };
    return { status: 200, headers: { 'Cache-Control': 'no-store' }, body };
  },
);
