/** The workflow id of a user's cart: `cart:{userId}`. */
export const cartWorkflowId = (userId: string): string => `cart:${userId}`;

/** The user a cart's workflow id belongs to. */
export const userIdOf = (workflowId: string): string => workflowId.slice('cart:'.length);
