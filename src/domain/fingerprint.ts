import type { CommandType } from './commands';
import { fnv1a } from './fnv1a';
import { type Attributes, textOf } from './lines';

/** The fields of each command that come from the client; the command side adds the others. */
const clientFields: Readonly<Record<CommandType, readonly string[]>> = {
  addItem: ['productId', 'quantity'],
  changeItemQuantity: ['productId', 'quantity'],
  removeItem: ['productId'],
  clearCart: [],
  changeNote: ['note'],
  checkOut: [],
  restoreCart: ['version'],
  handOverCart: ['to', 'strategy'],
  mergeCart: ['from'],
};

/** Fields that came later: a command without them has the fingerprint that it had before. */
const laterFields: { readonly [Type in CommandType]?: readonly string[] } = {
  addItem: ['attributes'],
  changeItemQuantity: ['lineId'],
  removeItem: ['lineId'],
  checkOut: ['expectedTotal', 'acceptChanges'],
};

/** The parts of a command that are equal in two of the same id if they are the same request. */
interface Request {
  readonly type: string;
  readonly expectedVersion?: number | undefined;
  /** The command's own fields; of a malformed one `payload` alone. */
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * A short text that is equal for two commands when the client asked for the same. Not covered: the id, who sent it
 * and when, and what the command side looked up.
 */
export function fingerprintOf({ type, expectedVersion, data }: Request): string {
  const expected = data.expectedVersions ?? expectedVersion ?? null;
  const values = 'payload' in data ? [data.payload] : valuesOf(type as CommandType, data);
  return fnv1a(JSON.stringify([type, expected, ...values]));
}

function valuesOf(type: CommandType, data: Request['data']): unknown[] {
  const later = (laterFields[type] ?? []).filter((field) => data[field] !== undefined);
  return [
    ...(clientFields[type] ?? []).map((field) => data[field]),
    ...later.map((field) => [field, readField(field, data)]),
  ];
}

/** Postgres keeps objects in another order. */
const readField = (field: string, data: Request['data']): unknown =>
  field === 'attributes' ? textOf(data.attributes as Attributes) : data[field];
