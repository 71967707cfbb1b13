import type { Route } from '../http/route';
import { cartQueryRoutes } from './carts';
import { chainRoute } from './chain';
import { diffRoute } from './diff';
import { operationRoutes } from './operations';
import type { QueryPorts } from './ports';
import { productQueryRoutes } from './products';
import { reportRoutes } from './reports';
import { streamRoute } from './stream';
import { timelineRoute } from './timeline';

/** The routes of the query side. */
export const queryRoutes: readonly Route<QueryPorts>[] = [
  ...cartQueryRoutes,
  timelineRoute,
  streamRoute,
  diffRoute,
  chainRoute,
  ...productQueryRoutes,
  ...reportRoutes,
  ...operationRoutes,
];
