import { isId } from '../domain/fields';

const prefix = 'cart:';

/** The workflow id of a user's cart: `cart:{userId}`. */
export const cartWorkflowId = (userId: string): string => `${prefix}${userId}`;

/** The user whose cart has this workflow id. */
export const userIdOf = (workflowId: string): string => workflowId.slice(prefix.length);

/** The id of the command that merges a guest's cart: the same whenever it is sent. No client can choose such an id. */
export const mergeCommandId = (guestId: string): string => `${mergePrefix}${guestId}`;
export const mergePrefix = 'merge:';

/** Whether this is the workflow id of a cart. Any client can start a workflow of the cart's type with another id. */
export const isCartWorkflowId = (workflowId: string): boolean =>
  workflowId.startsWith(prefix) && isId(userIdOf(workflowId));
