import type { components, operations, paths } from './api.ts';
import type { TokenOptions } from './tokens.ts';

type Schemas = components['schemas'];

export type Cart = Schemas['Cart'];
export type Chain = Schemas['Chain'];
export type CommandOutcome = Schemas['CommandOutcome'];
export type Difference = Schemas['Difference'];
export type FoundCart = Schemas['FoundCarts']['carts'][number];
export type Guest = Schemas['Guest'];
export type Operations = Schemas['Operations'];
export type Product = Schemas['Product'];
export type TimelineEntry = Schemas['TimelineEntry'];
/** An entry of the timeline that is no rejected command. */
export type TimelineEvent = Extract<TimelineEntry, { readonly version: number }>;

type BodyOf<Name extends 'addItem' | 'mergeCart' | 'putProduct' | 'sendCommands'> =
  operations[Name]['requestBody']['content']['application/json'];
/** The quantity is 1 if absent. */
export type ItemToAdd = BodyOf<'addItem'>;
/** Not atomic if `atomic` is absent. */
export type Batch = BodyOf<'sendCommands'>;
/** The strategy is `sum` if absent. */
export type GuestToMerge = BodyOf<'mergeCart'>;
/** The price is in minor units of the currency. The product is for sale if `available` is absent. */
export type ProductToPut = BodyOf<'putProduct'>;

/** RFC 3339 with seconds and an offset, such as `2030-01-31T12:00:00Z`, or a date. */
export type Instant = string | Date;
/** A version of a cart, or an instant. */
export type PointInTime = number | Instant;

export interface CartClientOptions extends TokenOptions {
  /** The address of the API. Its routes are appended to it. */
  readonly baseUrl: string;
  /** Sends the requests. If absent, the `fetch` of the platform. */
  readonly fetch?: (request: Request) => Promise<Response>;
}

export interface RequestOptions {
  /** Ends the request when it is aborted. */
  readonly signal?: AbortSignal | undefined;
  /** The time for all attempts together, in milliseconds: 30,000 if absent, plus what a command waits. */
  readonly timeoutMs?: number | undefined;
  /** The time for one attempt, in milliseconds: 10,000 if absent, plus what a command waits. */
  readonly attemptTimeoutMs?: number | undefined;
}

export interface CommandOptions extends RequestOptions {
  /** The id of the command, if absent a new UUID. To send a command again, give the id that it had. */
  readonly commandId?: string | undefined;
  /** Waits up to this many seconds for the outcome, at most 30. If absent, the command is only accepted. */
  readonly waitSeconds?: number | undefined;
  /** The version that the cart must have, or several of which it must have one; else 412 `version_mismatch`. */
  readonly ifMatch?: number | readonly number[] | undefined;
}

/** Without both, a cart of which a price has changed is not bought. */
export interface CheckOutOptions extends CommandOptions {
  /** What the customer was shown, in minor units: with another total, 409 `total_mismatch`. */
  readonly expectedTotal?: number | undefined;
  /** Buys at the prices of today. */
  readonly acceptChanges?: boolean | undefined;
}

/** The answer to a batch. The n-th command has the id `<commandId>:<n>`. */
export type BatchAnswer =
  | { readonly status: 'accepted'; readonly commandId: string }
  | ({ readonly status: 'decided'; readonly commandId: string } & Schemas['DecidedBatch']);

export type MergeOptions = Omit<CommandOptions, 'ifMatch'>;

/** The answer to a merge. Accepted: `commandId` is that of the command of the user's cart. */
export type MergeAnswer =
  | { readonly status: 'accepted'; readonly commandId: string }
  | ({ readonly status: 'applied' } & Schemas['MergedCart']);

/** At most one of the three. */
export interface ReadCartOptions extends RequestOptions {
  /** The exact cart after its n-th event. */
  readonly version?: number | undefined;
  /** The exact cart at an instant of the past. */
  readonly at?: Instant | undefined;
  /** The cart now, once it has this version. */
  readonly minVersion?: number | undefined;
}

type TimelineQuery = NonNullable<operations['readTimeline']['parameters']['query']>;
/** `limit` is the size of a page, and the time limits are for each page. */
export interface TimelineOptions extends RequestOptions, Omit<TimelineQuery, 'from' | 'to'> {
  /** Entries at this instant or later. */
  readonly from?: Instant | undefined;
  /** Entries before this instant. */
  readonly to?: Instant | undefined;
}

export interface FollowOptions {
  /** Begins after this version; if absent, after the version that the cart has. */
  readonly after?: number | undefined;
  /** Ends it. */
  readonly signal?: AbortSignal | undefined;
}

type ProductsQuery = NonNullable<operations['listProducts']['parameters']['query']>;
/** `limit` is the size of a page, and the time limits are for each page. */
export interface ProductsOptions extends RequestOptions, ProductsQuery {}

type CartsQuery = NonNullable<operations['findCarts']['parameters']['query']>;
/** `limit` is the size of a page, and the time limits are for each page. */
export interface CartsOptions extends RequestOptions, Omit<CartsQuery, 'unchangedSince'> {
  /** Carts that have not changed since then. */
  readonly unchangedSince?: Instant | undefined;
}

/** The reports over all carts. */
export type ReportName = 'carts' | 'open-carts' | 'longest-open' | 'products' | 'value' | 'checkouts';
type ReportOperation<Name extends ReportName> = paths[`/reports/${Name}`]['get'];
export type ReportQuery<Name extends ReportName> = ReportOperation<Name>['parameters']['query'];
export type Report<Name extends ReportName> = ReportOperation<Name>['responses'][200]['content']['application/json'];

/**
 * The answer to a command. Accepted: it is durable, and its outcome is not known yet. Applied: with the cart as it is
 * now. A rejected command throws `CartProblem` where the outcome is waited for.
 */
export type CommandAnswer =
  | { readonly status: 'accepted'; readonly commandId: string }
  | { readonly status: 'applied'; readonly commandId: string; readonly cart: Cart };

/**
 * The functions of the API. A request is sent again after an error of the network, after an attempt that took too
 * long, and after 429 and 503, until its time is over. A command keeps its id, so it counts once.
 *
 * Each function throws `CartProblem` for an error that the API answers, and `NoAnswerError` where there is no answer.
 * Both have the `commandId` of a command.
 */
export interface CartClient {
  /** Makes a guest. From now on the client sends the token of this guest. */
  createGuest(options?: RequestOptions): Promise<Guest>;

  /** Reads the cart now, at a version, or at an instant. The cart of a user without one is empty, at version 0. */
  readCart(userId: string, options?: ReadCartOptions): Promise<Cart>;
  /** Reads the timeline, oldest first, page after page as the entries are taken. */
  readTimeline(userId: string, options?: TimelineOptions): AsyncGenerator<TimelineEntry, void>;
  /**
   * The events of the cart as they come: each version once and in order, until the signal is aborted. It connects again
   * whenever the connection is lost. It throws `CartProblem` for an error that another attempt would not change.
   */
  followCart(userId: string, options?: FollowOptions): AsyncGenerator<TimelineEvent, void>;
  /** Reads what changed in the cart between two points in time. */
  compareCarts(userId: string, from: PointInTime, to: PointInTime, options?: RequestOptions): Promise<Difference>;
  /** Hashes each decision of the cart anew. */
  readChain(userId: string, options?: RequestOptions): Promise<Chain>;
  /** Reads the outcome of a command. While it is not known: 404 `command_unknown`. */
  readOutcome(userId: string, commandId: string, options?: RequestOptions): Promise<CommandOutcome>;
  /** Reads the outcome of a command as soon as it is known. When the time is over: 404 `command_unknown`. */
  waitFor(userId: string, commandId: string, options?: RequestOptions): Promise<CommandOutcome>;

  /** Adds a product to the line that has it with the same attributes. */
  addItem(userId: string, item: ItemToAdd, options?: CommandOptions): Promise<CommandAnswer>;
  /** Sets the quantity of a line; 0 removes it. */
  changeItemQuantity(
    userId: string,
    lineId: string,
    quantity: number,
    options?: CommandOptions,
  ): Promise<CommandAnswer>;
  /** Removes a line. */
  removeItem(userId: string, lineId: string, options?: CommandOptions): Promise<CommandAnswer>;
  /** Removes all lines. */
  clearCart(userId: string, options?: CommandOptions): Promise<CommandAnswer>;
  /** Sets the note of the cart; null removes it. */
  changeNote(userId: string, note: string | null, options?: CommandOptions): Promise<CommandAnswer>;
  /** Buys what is in the cart, and empties it. */
  checkOut(userId: string, options?: CheckOutOptions): Promise<CommandAnswer>;
  /** Makes the cart what it was at a version, by a new event. */
  restoreCart(userId: string, version: number, options?: CommandOptions): Promise<CommandAnswer>;

  /** Sends up to 50 commands as one. They are decided with no other command between them; if `atomic`, all or none. */
  sendCommands(userId: string, batch: Batch, options?: CommandOptions): Promise<BatchAnswer>;
  /**
   * Puts a guest's cart into that of the user, and closes it. The client sends the token of the guest beside its own.
   * It can be called again at any time.
   */
  mergeCart(userId: string, guest: GuestToMerge, options?: MergeOptions): Promise<MergeAnswer>;

  /** Reads the catalogue by the ids of the products, page after page as the products are taken. */
  listProducts(options?: ProductsOptions): AsyncGenerator<Product, void>;
  /** Reads a product. */
  readProduct(productId: string, options?: RequestOptions): Promise<Product>;
  /** Reads what is going on, for staff. */
  readOperations(options?: RequestOptions): Promise<Operations>;
  /** Finds carts by the ids of their users, page after page as the carts are taken. For staff. */
  findCarts(options?: CartsOptions): AsyncGenerator<FoundCart, void>;
  /** Reads a report over all carts: its first page, where it has several. For staff. */
  readReport<Name extends ReportName>(
    name: Name,
    query?: ReportQuery<Name>,
    options?: RequestOptions,
  ): Promise<Report<Name>>;
  /** As `readReport`, in CSV (RFC 4180). */
  readReportAsCsv<Name extends ReportName>(
    name: Name,
    query?: ReportQuery<Name>,
    options?: RequestOptions,
  ): Promise<string>;

  /** Adds a product to the catalogue, or changes it. */
  putProduct(productId: string, product: ProductToPut, options?: RequestOptions): Promise<Product>;
}
