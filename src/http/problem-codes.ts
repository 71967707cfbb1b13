import type { RejectionCode } from '../domain/decision';

/** Every problem code with its HTTP statuses. Clients depend on the codes, so never rename one. */
export const problemStatuses = {
  invalid_request: [400],
  entity_parse_failed: [400],
  request_aborted: [400],
  request_size_invalid: [400],
  token_missing: [401],
  token_invalid: [401],
  scope_missing: [403],
  cross_site_request: [403],
  route_not_found: [404],
  cart_unknown: [404],
  command_unknown: [404],
  product_unknown: [404, 422],
  version_unknown: [404, 409],
  version_not_reached: [404],
  method_not_allowed: [405],
  not_acceptable: [406],
  item_not_in_cart: [409],
  batch_rejected: [409],
  cart_empty: [409],
  cart_handed_over: [409],
  price_changed: [409],
  superseded: [409],
  total_mismatch: [409],
  try_again: [409],
  version_mismatch: [412],
  entity_too_large: [413],
  unsupported_media_type: [415],
  charset_unsupported: [415],
  encoding_unsupported: [415],
  host_unknown: [421],
  malformed_command: [422],
  currency_mismatch: [422],
  idempotency_key_reused: [422],
  line_limit_exceeded: [422],
  product_unavailable: [422],
  quantity_limit_exceeded: [422],
  too_many_requests: [429],
  internal_error: [500],
  catalogue_unavailable: [503],
  database_unavailable: [503],
  keys_unavailable: [503],
  report_too_slow: [503],
  temporal_unavailable: [503],
} as const satisfies Readonly<Record<string, readonly number[]>>;

export type ProblemCode = keyof typeof problemStatuses;
export type ProblemStatus<Code extends ProblemCode = ProblemCode> = (typeof problemStatuses)[Code][number];
/** The codes that a problem of this status can have. */
export type CodeOf<Status extends ProblemStatus> = {
  [Code in ProblemCode]: Status extends ProblemStatus<Code> ? Code : never;
}[ProblemCode];

/** The HTTP status for each code of a rejected command. */
export const rejectionStatuses = {
  version_mismatch: 412,
  item_not_in_cart: 409,
  batch_rejected: 409,
  cart_empty: 409,
  cart_handed_over: 409,
  version_unknown: 409,
  price_changed: 409,
  superseded: 409,
  total_mismatch: 409,
  try_again: 409,
  quantity_limit_exceeded: 422,
  line_limit_exceeded: 422,
  currency_mismatch: 422,
  product_unavailable: 422,
  malformed_command: 422,
  idempotency_key_reused: 422,
} as const satisfies { readonly [Code in RejectionCode]: ProblemStatus<Code> };

/** The title of each status (RFC 9110). */
export const statusTitles: Readonly<Record<ProblemStatus, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  409: 'Conflict',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  421: 'Misdirected Request',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};
