import { limits } from './limits';
import { type Attributes, type LineRef, lineWith, productOf } from './lines';

/** Describes a valid id, for error messages. */
export const idDescription = `1–${limits.idLength} characters of A-Z a-z 0-9 . _ ~ @ | : + -`;

const idPattern = /^[A-Za-z0-9._~@|:+-]+$/;
const printable = /^[^\p{Cc}\p{Cs}]+$/u;
const printableLines = /^(?:[^\p{Cc}\p{Cs}]|\n)+$/u;

const isText = (value: unknown, maxLength: number, pattern: RegExp): value is string =>
  typeof value === 'string' && value.length <= maxLength && pattern.test(value);

/** Whether the value is a safe integer from `min` to `max`. */
export const isInteger = (value: unknown, min: number, max: number): boolean =>
  Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;

/** Whether this is a valid id of a user, product or command: see `idDescription`. */
export const isId = (value: unknown): value is string => isText(value, limits.idLength, idPattern);
/** Whether this is a valid product name: text without control characters. */
export const isName = (value: unknown): value is string => isText(value, limits.nameLength, printable);
/** Whether this is the id of a line: that of its product, and with attributes their hash. */
export const isLineId = (value: unknown): value is string =>
  isText(value, limits.idLength + limits.attributesHashLength, /^[A-Za-z0-9._~@|:+-]+(?:![a-z0-9.]+)?$/) &&
  productOf(value).length <= limits.idLength;
/** Whether this is what a line can have of attributes: flat, and at least one. */
export const isAttributes = (value: unknown): value is Attributes =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  isInteger(Object.keys(value).length, 1, limits.attributesPerLine) &&
  Object.entries(value).every(isAttribute) &&
  JSON.stringify(value).length <= limits.attributesLength;

const isAttribute = ([name, value]: readonly [string, unknown]): boolean =>
  isText(name, limits.attributeNameLength, /^[A-Za-z][A-Za-z0-9_-]*$/) &&
  (typeof value === 'boolean' ||
    isInteger(value, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER) ||
    isText(value, limits.attributesLength, printable));

/** Whether the id of the line is the one that its attributes give. */
export const hasOwnLineId = (line: LineRef & { readonly attributes?: Attributes | undefined }) =>
  lineWith(line.productId, line.attributes).lineId === line.lineId;
/** Whether this is a valid note of a cart: text without control characters, on one line or several. */
export const isNote = (value: unknown): value is string => isText(value, limits.noteLength, printableLines);
/** Whether this is a valid actor: text without control characters. */
export const isActor = (value: unknown): value is string => isText(value, limits.actorLength, printable);
/** Whether this has the form of an ISO 4217 code: three capital letters. */
export const isCurrency = (value: unknown): value is string => isText(value, 3, /^[A-Z]{3}$/);
/** Whether this is a whole number of minor units, at most `limits.unitPrice`. */
export const isUnitPrice = (value: unknown): value is number => isInteger(value, 0, limits.unitPrice);
/** Whether this is an instant from 1970 to 2999 in the format of `Date.prototype.toISOString`. */
export const isInstant = (value: unknown): value is string =>
  isText(value, 24, /^(19[7-9]|2\d\d)\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) &&
  !Number.isNaN(Date.parse(value)) &&
  new Date(value).toISOString() === value;
