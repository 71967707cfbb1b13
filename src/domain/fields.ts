import { limits } from './limits';

/** Describes a valid id, for error messages. */
export const idDescription = `1–${limits.idLength} characters of A-Z a-z 0-9 . _ ~ @ | : + -`;

const idPattern = /^[A-Za-z0-9._~@|:+-]+$/;
const printable = /^[^\p{Cc}\p{Cs}]+$/u;

const isText = (value: unknown, maxLength: number, pattern: RegExp): value is string =>
  typeof value === 'string' && value.length <= maxLength && pattern.test(value);

/** Whether the value is a safe integer from `min` to `max`. */
export const isInteger = (value: unknown, min: number, max: number): boolean =>
  Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;

/** Whether this is a valid id of a user, product or command: see `idDescription`. */
export const isId = (value: unknown): value is string => isText(value, limits.idLength, idPattern);
/** Whether this is a valid product name: text without control characters. */
export const isName = (value: unknown): value is string => isText(value, limits.nameLength, printable);
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
