import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** Search attributes, for finding carts in the Web UI and with `temporal workflow list`. */
export const cartUserIdKey = defineSearchAttributeKey('CartUserId', SearchAttributeType.KEYWORD);
export const cartStatusKey = defineSearchAttributeKey('CartStatus', SearchAttributeType.KEYWORD);
export const cartItemCountKey = defineSearchAttributeKey('CartItemCount', SearchAttributeType.INT);

/** All search attributes of a cart. They must be registered in a namespace before a cart can run there. */
export const searchAttributeKeys: readonly { readonly name: string; readonly type: 'KEYWORD' | 'INT' }[] = [
  cartUserIdKey,
  cartStatusKey,
  cartItemCountKey,
];

/** The search attributes by name, with the types that the Temporal CLI accepts: `Keyword`, `Int`. */
export const searchAttributeTypes: Readonly<Record<string, 'Int' | 'Keyword'>> = Object.fromEntries(
  searchAttributeKeys.map(({ name, type }) => [name, type === 'INT' ? 'Int' : 'Keyword']),
);
