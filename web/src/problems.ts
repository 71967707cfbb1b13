import { CartProblem, NoAnswerError } from '../../client/src/index.ts';

/** What a customer reads in place of the reason that the API gives. */
const sentences: { readonly [Code in string]?: string } = {
  product_unavailable: 'This is not for sale any more. Remove it to go on.',
  quantity_limit_exceeded: 'The cart cannot hold that many of it.',
  line_limit_exceeded: 'The cart is full: it holds 100 different things.',
  currency_mismatch: 'This is sold in another currency than what is in the cart.',
  item_not_in_cart: 'This has been removed meanwhile, perhaps in another tab.',
  cart_empty: 'There is nothing in the cart.',
  price_changed: 'A price has changed. Look at the new total, and buy again.',
  total_mismatch: 'The cart has changed meanwhile. Look at the new total, and buy again.',
  try_again: 'The cart has changed meanwhile. Please try again.',
  version_mismatch: 'The cart has changed meanwhile. Please try again.',
  cart_handed_over: 'This cart was merged into that of a user who has signed in.',
  token_missing: 'Sign in first.',
  token_invalid: 'The token is not valid any more. Sign in again.',
  scope_missing: 'Your token does not allow this.',
  cart_unknown: 'There is no such cart, or it is not yours.',
  too_many_requests: 'That was too fast. Please wait a moment.',
};

/** Says what went wrong, and what to do. */
export function explain(error: unknown): string {
  if (error instanceof NoAnswerError) return 'The shop cannot be reached. Nothing is lost: it is tried again.';
  if (error instanceof CartProblem) return sentences[error.code ?? ''] ?? error.detail;
  return error instanceof Error ? error.message : String(error);
}
