import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** By these a cart can be found in the Web UI and with `temporal workflow list`. */
export const cartUserIdKey = defineSearchAttributeKey('CartUserId', SearchAttributeType.KEYWORD);
export const cartStatusKey = defineSearchAttributeKey('CartStatus', SearchAttributeType.KEYWORD);
export const cartItemCountKey = defineSearchAttributeKey('CartItemCount', SearchAttributeType.INT);
