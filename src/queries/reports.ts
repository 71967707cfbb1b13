import type { Knex } from 'knex';
import { z } from 'zod';
import { defineRoute, type Route } from '../http/route';
import { requestProblems } from '../http/validation';
import type { QueryPorts } from './ports';
import { answerReport, type Report } from './reports/answer';
import { longestOpenReport, openCartsReport, summaryReport } from './reports/carts-report';
import { parameters } from './reports/parameters';
import { checkoutsReport, productsReport } from './reports/products-report';
import { shapes } from './reports/shapes';
import { valueReport } from './reports/value-report';

/** A report over all carts, as JSON or CSV. */
const report = <Query extends z.ZodType>(
  name: string,
  path: string,
  summary: string,
  query: Query,
  body: z.ZodType,
  make: (db: Knex, query: z.output<Query>) => Promise<Report>,
): Route<QueryPorts> =>
  defineRoute(
    {
      name,
      method: 'get',
      path: `/reports/${path}`,
      summary,
      access: 'reports:read',
      rate: 'reports',
      query,
      answers: {
        200: { description: 'The report.', body, textTypes: ['text/csv'], headers: { Link: z.string().optional() } },
      },
      problems: { ...requestProblems, 406: ['not_acceptable'], 503: ['report_too_slow', 'database_unavailable'] },
    },
    async ({ db }: QueryPorts, request) => answerReport(request.http, () => make(db, request.query)),
  );

/** The routes for reports over all carts, for operators: at an instant or over a span of time. */
export const reportRoutes: readonly Route<QueryPorts>[] = [
  report(
    'reportCarts',
    'carts',
    'Sums over all open carts at an instant',
    parameters.carts,
    shapes.carts,
    summaryReport,
  ),
  report(
    'reportOpenCarts',
    'open-carts',
    'The carts that were open at an instant',
    parameters.openCarts,
    shapes.openCarts,
    openCartsReport,
  ),
  report(
    'reportLongestOpen',
    'longest-open',
    'The carts that had been open for the longest time at an instant',
    parameters.longestOpen,
    shapes.openCarts,
    longestOpenReport,
  ),
  report(
    'reportProducts',
    'products',
    'What was added, removed and bought, by interval and product',
    parameters.products,
    shapes.products,
    productsReport,
  ),
  report(
    'reportValue',
    'value',
    'Number and value of the open carts over time',
    parameters.value,
    shapes.value,
    valueReport,
  ),
  report(
    'reportCheckouts',
    'checkouts',
    'How often each product was bought or removed',
    parameters.checkouts,
    shapes.checkouts,
    checkoutsReport,
  ),
];
