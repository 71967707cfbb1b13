import { type RequestHandler, Router } from 'express';
import type { Knex } from 'knex';
import type { z } from 'zod';
import { validate } from '../http/validation';
import { answer, type Report } from './reports/answer';
import { longestOpenReport, openCartsReport, summaryReport } from './reports/carts-report';
import { parameters } from './reports/parameters';
import { checkoutsReport, productsReport } from './reports/products-report';
import { valueReport } from './reports/value-report';

/** The routes for reports over all carts, for operators: at an instant or over a span of time, as JSON or CSV. */
export function reportRoutes(db: Knex): Router {
  const report =
    <T extends z.ZodType>(schema: T, make: (db: Knex, query: z.output<T>) => Promise<Report>): RequestHandler =>
    (req, res) =>
      answer(req, res, () => make(db, validate(schema, req.query)));

  const router = Router();
  router.get('/reports/carts', report(parameters.carts, summaryReport));
  router.get('/reports/open-carts', report(parameters.openCarts, openCartsReport));
  router.get('/reports/products', report(parameters.products, productsReport));
  router.get('/reports/value', report(parameters.value, valueReport));
  router.get('/reports/longest-open', report(parameters.longestOpen, longestOpenReport));
  router.get('/reports/checkouts', report(parameters.checkouts, checkoutsReport));
  return router;
}
