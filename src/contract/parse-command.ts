import { type Command, type CommandType, type MalformedCommand, mergeStrategies } from '../domain/commands';
import type { CartItem } from '../domain/events';
import type { ProductFacts } from '../domain/facts';
import {
  hasOwnLineId,
  isActor,
  isAttributes,
  isCurrency,
  isId,
  isInstant,
  isInteger,
  isLineId,
  isName,
  isNote,
  isUnitPrice,
} from '../domain/fields';
import { limits } from '../domain/limits';
import { lineIdOf } from '../domain/lines';

type Fields = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

const isPositive: Check = (value) => isInteger(value, 1, Number.MAX_SAFE_INTEGER);
const isCount: Check = (value) => isInteger(value, 0, Number.MAX_SAFE_INTEGER);
const isItems: Check = (value) =>
  Array.isArray(value) &&
  value.length <= limits.linesPerCart &&
  value.every(isItem) &&
  new Set(value.map(lineIdOf)).size === value.length;
const isItem = (value: unknown): value is CartItem =>
  isRecord(value) && hasFields(value, itemFields) && hasOwnLineId(value as unknown as CartItem);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);

const isFacts: Check = (value) =>
  Array.isArray(value) && value.length <= limits.factsPerCommand && value.every(isFactsOfOne);
const isFactsOfOne = (value: unknown): value is ProductFacts =>
  isRecord(value) && hasFields(value, value.available === true ? factsFields : { productId: isId, available: isFalse });
const hasFields = (value: Fields, checks: Readonly<Record<string, Check>>): boolean =>
  Object.keys(value).every((field) => Object.hasOwn(checks, field)) &&
  Object.entries(checks).every(([field, check]) => check(ownField(value, field)));
const isTrue: Check = (value) => value === true;
const isFalse: Check = (value) => value === false;
const isStrategy: Check = (value) => (mergeStrategies as readonly unknown[]).includes(value);
const isVersions: Check = (value) =>
  Array.isArray(value) && value.length > 0 && value.length <= limits.expectedVersions && value.every(isCount);

const envelope = {
  commandId: isId,
  issuedAt: isInstant,
  actor: isActor,
  expectedVersion: optional(isCount),
  expectedVersions: optional(isVersions),
};
const itemFields: Readonly<Record<keyof CartItem, Check>> = {
  productId: isId,
  lineId: optional(isLineId),
  attributes: optional(isAttributes),
  name: isName,
  unitPrice: isUnitPrice,
  quantity: (value) => isInteger(value, 1, limits.quantityPerProduct),
  addedAt: isInstant,
  addedVersion: (value) => isInteger(value, 1, limits.version),
};
const factsFields = {
  productId: isId,
  available: isTrue,
  unitPrice: isUnitPrice,
  currency: isCurrency,
  maxQuantity: optional(isPositive),
};
const fieldsOf: Readonly<Record<CommandType, Readonly<Record<string, Check>>>> = {
  addItem: {
    productId: isId,
    name: isName,
    unitPrice: isUnitPrice,
    currency: isCurrency,
    quantity: isPositive,
    maxQuantity: optional(isPositive),
    attributes: optional(isAttributes),
  },
  changeItemQuantity: {
    productId: isId,
    lineId: optional(isLineId),
    quantity: isCount,
    maxQuantity: optional(isPositive),
    facts: optional(isFacts),
  },
  removeItem: { productId: isId, lineId: optional(isLineId) },
  clearCart: {},
  changeNote: { note: orNull(isNote) },
  checkOut: {
    expectedTotal: optional(isCount),
    acceptChanges: optional((value) => typeof value === 'boolean'),
    facts: optional(isFacts),
  },
  restoreCart: { version: isCount, items: isItems, currency: orNull(isCurrency), note: optional(orNull(isNote)) },
  handOverCart: { to: isId, strategy: isStrategy },
  mergeCart: { from: isId, strategy: isStrategy, items: isItems, currency: orNull(isCurrency), note: optional(isNote) },
};

const unavailableFields = {
  productId: isId,
  quantity: isPositive,
  attributes: optional(isAttributes),
  available: isFalse,
};

export const commandTypes = Object.keys(fieldsOf) as readonly CommandType[];

/**
 * Reads any value as a command of this type. It never throws, and drops unknown fields. The fields of the result are
 * safe to store: no control characters, no lone surrogates, only safe integers.
 */
export function parseCommand(type: string, payload: unknown): Command | MalformedCommand {
  const malformed = (reason: string) => toMalformed(type, payload, reason);
  if (!isCommandType(type)) return malformed('there is no command of this type');
  if (!isRecord(payload)) return malformed('a command is an object with commandId, issuedAt and actor');
  const isUnavailable = type === 'addItem' && ownField(payload, 'available') === false;
  const checks = Object.entries({ ...envelope, ...(isUnavailable ? unavailableFields : fieldsOf[type]) });
  const unusable = checks.filter(([field, check]) => !check(ownField(payload, field))).map(([field]) => field);
  if (unusable.length > 0) return malformed(`not usable: ${unusable.join(', ')}`);
  const fields = checks.map(([field]) => [field, ownField(payload, field)]).filter(([, value]) => value !== undefined);
  return { type, ...Object.fromEntries(fields) } as Command;
}

/** What is recorded of a value that cannot be read as a command. */
export const toMalformed = (type: string, payload: unknown, reason: string): MalformedCommand => ({
  type: excerpt(type, limits.idLength),
  ...(isRecord(payload) && isId(payload.commandId) ? { commandId: payload.commandId } : {}),
  reason,
  payload: excerpt(payload, 1_000),
});

const isCommandType = (type: string): type is CommandType => Object.hasOwn(fieldsOf, type);
const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const ownField = (record: Fields, field: string): unknown => (Object.hasOwn(record, field) ? record[field] : undefined);

/** Any value as short plain ASCII text. Length, depth and breadth are limited, so that it can always be stored. */
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
