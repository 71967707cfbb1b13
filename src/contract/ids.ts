import { isId } from '../domain/fields';

const prefix = 'cart:';

/** The workflow id of a user's cart: `cart:{userId}`. */
export const cartWorkflowId = (userId: string): string => `${prefix}${userId}`;

/** The user whose cart has this workflow id. */
export const userIdOf = (workflowId: string): string => workflowId.slice(prefix.length);

/** Whether a workflow id is that of a cart. Anybody can start a workflow of the cart's type under any id. */
export const isCartWorkflowId = (workflowId: string): boolean =>
  workflowId.startsWith(prefix) && isId(userIdOf(workflowId));
