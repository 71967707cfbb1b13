import type { CommandType } from './commands';

/** The fields of each command that come from the client; the command side adds the others. */
const clientFields: Readonly<Record<CommandType, readonly string[]>> = {
  addItem: ['productId', 'quantity'],
  changeItemQuantity: ['productId', 'quantity'],
  removeItem: ['productId'],
  clearCart: [],
  checkOut: [],
  restoreCart: ['version'],
};

/** What of a command tells whether two with the same id are the same request. */
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
  const fields = 'payload' in data ? ['payload'] : (clientFields[type as CommandType] ?? []);
  return fnv1a(JSON.stringify([type, expectedVersion ?? null, ...fields.map((field) => data[field])]));
}

const offsetBasis = 0xcbf29ce484222325n;
const prime = 0x100000001b3n;

/**
 * FNV-1a with 64 bits over the text's UTF-16 units, in base 36 (draft-eastlake-fnv). Synchronous, so a workflow may
 * use it.
 */
function fnv1a(text: string): string {
  let hash = offsetBasis;
  for (let index = 0; index < text.length; index += 1) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(index))) * prime);
  }
  return hash.toString(36);
}
