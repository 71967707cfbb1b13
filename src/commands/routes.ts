import type { Route } from '../http/route';
import type { CommandPorts } from './answer-command';
import { batchRoute } from './batch';
import { cartCommandRoutes } from './carts';
import { mergeRoute } from './merge';
import { putProductRoute } from './products';

/** The routes of the command side. */
export const commandRoutes: readonly Route<CommandPorts>[] = [
  ...cartCommandRoutes,
  batchRoute,
  mergeRoute,
  putProductRoute,
];
