import type { CartItem } from './events';
import { limits } from './limits';

/** What every command carries beside its own fields. `commandId` is the client's idempotency key. */
export interface Envelope {
  readonly commandId: string;
  readonly issuedAt: string;
  readonly actor: string;
  /** The version the cart must still have, else the command is refused. */
  readonly expectedVersion?: number;
}

/** The product as the catalogue has it at this moment; the command side looks it up, never the browser. */
export interface AddItem extends Envelope {
  readonly type: 'addItem';
  readonly productId: string;
  readonly name: string;
  readonly unitPrice: number;
  readonly currency: string;
  readonly quantity: number;
  readonly maxQuantity?: number;
}

/** Makes the line's quantity what is given; 0 removes the line. */
export interface ChangeItemQuantity extends Envelope {
  readonly type: 'changeItemQuantity';
  readonly productId: string;
  readonly quantity: number;
  readonly maxQuantity?: number;
}

export interface RemoveItem extends Envelope {
  readonly type: 'removeItem';
  readonly productId: string;
}

export interface ClearCart extends Envelope {
  readonly type: 'clearCart';
}

/** Buys what is in the cart and empties it for the next purchase. */
export interface CheckOut extends Envelope {
  readonly type: 'checkOut';
}

/** Makes the cart what it was at `version`; the command side looks up what that was. */
export interface RestoreCart extends Envelope {
  readonly type: 'restoreCart';
  readonly version: number;
  readonly items: readonly CartItem[];
  readonly currency: string | null;
}

export type Command = AddItem | ChangeItemQuantity | RemoveItem | ClearCart | CheckOut | RestoreCart;
export type CommandType = Command['type'];

/** A command that could not be understood; it is put on record as rejected. `payload` is a bounded excerpt. */
export interface MalformedCommand {
  readonly type: string;
  readonly commandId?: string;
  readonly reason: string;
  readonly payload: string;
}

type Fields = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

const idPattern = /^[A-Za-z0-9._~@|:+-]+$/;
const printable = /^[^\p{Cc}\p{Cs}]+$/u;

const isText = (value: unknown, maxLength: number, pattern: RegExp): value is string =>
  typeof value === 'string' && value.length <= maxLength && pattern.test(value);
const isInteger = (value: unknown, min: number, max: number): boolean =>
  Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;

/** 1–128 characters of `A-Z a-z 0-9 . _ ~ @ | : + -`: what user, product and command ids are made of. */
export const isId = (value: unknown): value is string => isText(value, limits.idLength, idPattern);
/** Readable text without control characters, as names are. */
export const isName = (value: unknown): value is string => isText(value, limits.nameLength, printable);
/** An ISO 4217 code: three capital letters. */
export const isCurrency = (value: unknown): value is string => isText(value, 3, /^[A-Z]{3}$/);
/** Minor units within `limits.unitPrice`. */
export const isUnitPrice = (value: unknown): value is number => isInteger(value, 0, limits.unitPrice);

const isPositive: Check = (value) => isInteger(value, 1, Number.MAX_SAFE_INTEGER);
const isCount: Check = (value) => isInteger(value, 0, Number.MAX_SAFE_INTEGER);
const isActor: Check = (value) => isText(value, limits.actorLength, printable);
const isInstant: Check = (value) =>
  isText(value, 24, /^(19[7-9]|2\d\d)\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) &&
  !Number.isNaN(Date.parse(value)) &&
  new Date(value).toISOString() === value;
const isItems: Check = (value) =>
  Array.isArray(value) &&
  value.length <= limits.linesPerCart &&
  value.every(isItem) &&
  new Set(value.map((item) => item.productId)).size === value.length;
const isItem = (value: unknown): value is CartItem =>
  isRecord(value) &&
  Object.keys(value).length === Object.keys(itemFields).length &&
  Object.entries(itemFields).every(([field, check]) => check(own(value, field)));
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

const envelope = { commandId: isId, issuedAt: isInstant, actor: isActor, expectedVersion: optional(isCount) };
const itemFields: Readonly<Record<keyof CartItem, Check>> = {
  productId: isId,
  name: isName,
  unitPrice: isUnitPrice,
  quantity: (value) => isInteger(value, 1, limits.quantityPerLine),
  addedAt: isInstant,
  addedVersion: isPositive,
};
const fieldsOf: Readonly<Record<CommandType, Readonly<Record<string, Check>>>> = {
  addItem: {
    productId: isId,
    name: isName,
    unitPrice: isUnitPrice,
    currency: isCurrency,
    quantity: isPositive,
    maxQuantity: optional(isPositive),
  },
  changeItemQuantity: { productId: isId, quantity: isCount, maxQuantity: optional(isPositive) },
  removeItem: { productId: isId },
  clearCart: {},
  checkOut: {},
  restoreCart: { version: isCount, items: isItems, currency: (value) => value === null || isCurrency(value) },
};

export const commandTypes = Object.keys(fieldsOf) as readonly CommandType[];

/**
 * Reads whatever arrived as a command of this type. Total: never throws, whatever the value. Unknown fields are dropped,
 * and what passes is safe to store (no control characters, no lone surrogates, only safe integers).
 */
export function parseCommand(type: string, payload: unknown): Command | MalformedCommand {
  const malformed = (reason: string): MalformedCommand => ({
    type: excerpt(type, limits.idLength),
    ...(isRecord(payload) && isId(payload.commandId) ? { commandId: payload.commandId } : {}),
    reason,
    payload: excerpt(payload, 1_000),
  });
  if (!isCommandType(type)) return malformed('there is no command of this type');
  if (!isRecord(payload)) return malformed('a command is an object with commandId, issuedAt and actor');
  const checks = Object.entries({ ...envelope, ...fieldsOf[type] });
  const wrong = checks.filter(([field, check]) => !check(own(payload, field))).map(([field]) => field);
  if (wrong.length > 0) return malformed(`not usable: ${wrong.join(', ')}`);
  const fields = checks.map(([field]) => [field, own(payload, field)]).filter(([, value]) => value !== undefined);
  return { type, ...Object.fromEntries(fields) } as Command;
}

/** The signal that carries several commands, each with its type; any other is named like the one command it carries. */
export const commandsSignalName = 'commands';

/** Reads whatever arrived as a signal of this name: one command, or several. Total, as `parseCommand` is; never empty. */
export function parseSignal(name: string, payload: unknown): readonly (Command | MalformedCommand)[] {
  const isList = Array.isArray(payload) && payload.length > 0 && payload.length <= limits.commandsPerSignal;
  if (name !== commandsSignalName || !isList) return [parseCommand(name, payload)];
  return payload.map((entry) => {
    const type = isRecord(entry) ? own(entry, 'type') : undefined;
    return parseCommand(typeof type === 'string' ? type : name, entry);
  });
}

/** Tells a command that can be decided from one that cannot. */
export function isMalformed(command: Command | MalformedCommand): command is MalformedCommand {
  return 'payload' in command;
}

const isCommandType = (type: string): type is CommandType => Object.hasOwn(fieldsOf, type);
const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const own = (record: Fields, field: string): unknown => (Object.hasOwn(record, field) ? record[field] : undefined);

/** A short plain-ASCII rendering of any value: bounded in length, depth and breadth, so that it can always be stored. */
function excerpt(value: unknown, maxLength: number): string {
  const text = typeof value === 'string' ? value.slice(0, maxLength) : outline(value, 3);
  const ascii = text.replace(/[^\x20-\x7e]/g, (char) => `<U+${char.charCodeAt(0).toString(16).padStart(4, '0')}>`);
  return ascii.slice(0, maxLength);
}

function outline(value: unknown, depth: number): string {
  if (typeof value === 'string') return value.length > 200 ? `"${value.slice(0, 200)}…"` : `"${value}"`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (depth === 0) return '…';
  if (Array.isArray(value)) return `[${value.slice(0, 20).map((entry) => outline(entry, depth - 1))}]`;
  const entries = Object.entries(value).slice(0, 20);
  return `{${entries.map(([key, entry]) => `"${key.slice(0, 200)}":${outline(entry, depth - 1)}`)}}`;
}
