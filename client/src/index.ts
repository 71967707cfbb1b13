export type * from './cart-client.ts';
export { createCartClient } from './create-cart-client.ts';
export { CartProblem, NoAnswerError, type ProblemCode } from './errors.ts';
export type { Token } from './tokens.ts';
