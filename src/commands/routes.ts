import type { Route } from '../http/route';
import type { CommandPorts } from './answer-command';
import { cartCommandRoutes } from './carts';
import { putProductRoute } from './products';

/** The routes of the command side. */
export const commandRoutes: readonly Route<CommandPorts>[] = [...cartCommandRoutes, putProductRoute];
