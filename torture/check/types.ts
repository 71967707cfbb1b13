/** The shapes that the checker reads. It has its own, for it imports nothing of the product. */

export type CommandType =
  | 'addItem'
  | 'changeItemQuantity'
  | 'removeItem'
  | 'clearCart'
  | 'changeNote'
  | 'checkOut'
  | 'restoreCart'
  | 'handOverCart'
  | 'mergeCart';

/** What a client asked for. */
export type Ask =
  | Sending
  | { readonly kind: 'readCart'; readonly minVersion?: number }
  | { readonly kind: 'readVersion'; readonly version: number }
  | { readonly kind: 'readInstant'; readonly at: string }
  | { readonly kind: 'readEvents'; readonly after: number }
  | { readonly kind: 'readOutcome'; readonly commandId: string }
  | SignalAsk;

/** What goes over HTTP. */
export type HttpAsk = Exclude<Ask, SignalAsk>;

/** What asks for something to be done. */
export type Sending = CommandAsk | BatchAsk | MergeAsk;

/** What of a command comes from the client. */
export interface CommandFields {
  readonly type: CommandType;
  readonly productId?: string;
  readonly attributes?: { readonly size: string };
  /** Of the commands that name a line; where it is absent, the line is that of the product. */
  readonly lineId?: string;
  readonly quantity?: number;
  readonly note?: string | null;
  readonly version?: number;
  readonly expectedTotal?: number;
  readonly acceptChanges?: true;
  readonly to?: string;
  readonly from?: string;
  readonly strategy?: MergeStrategy;
}

export interface CommandAsk extends CommandFields {
  readonly kind: 'command';
  readonly key?: string;
  readonly expectedVersion?: number;
  /** Of a command that is a part of a batch. */
  readonly batch?: Pick<BatchAsk, 'key' | 'atomic' | 'expectedVersion'> & {
    readonly place: number;
    readonly size: number;
  };
  readonly waitSeconds: number;
}

export interface BatchAsk {
  readonly kind: 'batch';
  readonly key: string;
  readonly commands: readonly CommandFields[];
  readonly atomic: boolean;
  readonly expectedVersion?: number;
  readonly waitSeconds: number;
}

export type MergeStrategy = 'sum' | 'max' | 'keep' | 'replace';

/** Puts the cart of a guest into the cart of the operation. */
export interface MergeAsk {
  readonly kind: 'merge';
  readonly key: string;
  readonly from: string;
  readonly strategy: MergeStrategy;
  readonly waitSeconds: number;
}

/** A signal sent by hand, straight to Temporal. */
export interface SignalAsk {
  readonly kind: 'signal';
  /** The commands that the signal carries, by their ids. */
  readonly commands: readonly SignalledCommand[];
  /** How many more decisions the signal may cause, under ids that the workflow makes. */
  readonly others: number;
}

export interface SignalledCommand {
  readonly commandId: string;
  readonly type: string;
  /** Of a command that must be rejected: the code. */
  readonly code?: string;
}

/** One operation of a client, from its request to its answer. Times are milliseconds of one clock. */
export interface Operation {
  readonly id: number;
  readonly client: number;
  readonly cart: string;
  readonly ask: Ask;
  readonly start: number;
  readonly end: number;
  /** `ok`: acknowledged or answered. `fail`: certainly without effect. `unknown`: with or without effect. */
  readonly result: 'ok' | 'fail' | 'unknown';
  readonly status?: number;
  readonly body?: unknown;
}

/** A cart as the API shows it. */
export interface CartView {
  readonly version: number;
  readonly status: string;
  readonly currency: string | null;
  readonly note: string | null;
  readonly itemCount: number;
  readonly subtotal: number;
  readonly updatedAt: string | null;
  readonly items: readonly LineView[];
}

export interface LineView {
  readonly lineId: string;
  readonly productId: string;
  readonly attributes?: object;
  readonly name: string;
  readonly quantity: number;
  readonly unitPrice: number;
  readonly lineTotal: number;
  readonly addedAt: string;
}

/** An entry of a cart's timeline: an event, or a rejected command with a code and no version. */
export interface Entry {
  readonly sequence: number;
  readonly type: string;
  readonly command: string;
  readonly commandId: string;
  readonly occurredAt: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly version?: number;
  readonly code?: string;
}

export interface Outcome {
  readonly commandId: string;
  readonly type: string;
  readonly status: 'applied' | 'rejected';
  readonly versions: readonly number[];
  readonly code?: string;
}

/** All that can be read of a cart once everything is quiet. */
export interface FinalCart {
  readonly cart: string;
  readonly now: CartView;
  /** The cart at its last version, as the query for past versions answers it. */
  readonly last: CartView;
  /** The cart at some of its versions. */
  readonly past: readonly CartView[];
  readonly entries: readonly Entry[];
  /** Of all commands sent and of all recorded reuses, by the id on record; null where no outcome is known. */
  readonly outcomes: Readonly<Record<string, Outcome | null>>;
}

export interface Final {
  /** The instant at which the clock of the operations began. */
  readonly recordedSince: string;
  readonly carts: readonly FinalCart[];
  /** The exit status of the operators' `verify`, and what it printed. */
  readonly verify: { readonly status: number; readonly output: string };
}

export const violationKinds = [
  'lost-command',
  'doubled-command',
  'lost-reuse',
  'doubled-reuse',
  'applied-reuse',
  'false-reuse',
  'wrongly-superseded',
  'failed-but-applied',
  'unsent-command',
  'outcome-changed',
  'two-outcomes',
  'other-effect',
  'if-match-ignored',
  'torn-batch',
  'lost-merge',
  'other-merge',
  'version-gap',
  'order',
  'state-not-fold',
  'past-not-present',
  'past-not-fold',
  'read-went-back',
  'stale-read',
  'read-from-nowhere',
  'min-version',
  'verify',
  'not-readable',
] as const;

export type ViolationKind = (typeof violationKinds)[number];

export interface Violation {
  readonly kind: ViolationKind;
  readonly cart?: string;
  readonly commandId?: string;
  readonly what: string;
  /** The ids of the operations that show it. */
  readonly operations?: readonly number[];
}
