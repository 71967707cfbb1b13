import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** By these a cart can be found in the Web UI and with `temporal workflow list`. */
export const cartUserIdKey = defineSearchAttributeKey('CartUserId', SearchAttributeType.KEYWORD);
export const cartStatusKey = defineSearchAttributeKey('CartStatus', SearchAttributeType.KEYWORD);
export const cartItemCountKey = defineSearchAttributeKey('CartItemCount', SearchAttributeType.INT);

/** All search attributes of a cart. A namespace must have them registered before a cart can run in it. */
export const searchAttributeKeys: readonly { readonly name: string; readonly type: 'KEYWORD' | 'INT' }[] = [
  cartUserIdKey,
  cartStatusKey,
  cartItemCountKey,
];

/** The search attributes by name, with their types as the Temporal CLI takes them: `Keyword`, `Int`. */
export const searchAttributeTypes: Readonly<Record<string, 'Int' | 'Keyword'>> = Object.fromEntries(
  searchAttributeKeys.map(({ name, type }) => [name, type === 'INT' ? 'Int' : 'Keyword']),
);
