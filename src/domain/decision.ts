import type { EventFact } from './events';

/** Clients depend on these codes, so never rename one. */
export type RejectionCode =
  | 'version_mismatch'
  | 'quantity_limit_exceeded'
  | 'line_limit_exceeded'
  | 'currency_mismatch'
  | 'product_unavailable'
  | 'try_again'
  | 'price_changed'
  | 'total_mismatch'
  | 'item_not_in_cart'
  | 'cart_empty'
  | 'cart_handed_over'
  | 'batch_rejected'
  | 'version_unknown'
  | 'malformed_command'
  | 'idempotency_key_reused'
  | 'superseded';

/** The outcome of one command. It is `applied` without events if the command changes nothing. */
export type Decision =
  | { readonly outcome: 'applied'; readonly events: readonly EventFact[] }
  | { readonly outcome: 'rejected'; readonly code: RejectionCode; readonly reason: string };

export const apply = (...events: EventFact[]): Decision => ({ outcome: 'applied', events });

export const reject = (code: RejectionCode, reason: string): Decision => ({ outcome: 'rejected', code, reason });
