import { z } from 'zod';
import { isAttributes, isNote } from '../domain/fields';
import { limits } from '../domain/limits';
import { Problem } from '../http/problem';
import { defineRoute, type Route, type RouteDescription } from '../http/route';
import { acceptedShape, cartShape } from '../http/shapes';
import { bodyProblems, cartPath, lineId, productId } from '../http/validation';
import { answerCommand, type CommandPorts } from './answer-command';
import { findForSale } from './facts';
import { commandHeaders } from './headers';
import { addItemFields, checkOutFields, lineFields, makeChange, makeCheckOut } from './make-command';

const itemPath = cartPath.extend({ lineId });
const quantity = z.int().meta({ maximum: limits.quantityPerProduct, examples: [2] });
const attributes = z
  .record(z.string(), z.union([z.string(), z.int(), z.boolean()]))
  .refine(
    isAttributes,
    `must be 1–${limits.attributesPerLine} attributes, ${limits.attributesLength} characters of JSON together, with texts on one line`,
  )
  .optional()
  .meta({
    description: 'What was chosen of the product. Other attributes make another line.',
    minProperties: 1,
    maxProperties: limits.attributesPerLine,
    propertyNames: { pattern: '^[A-Za-z][A-Za-z0-9_-]*$', maxLength: limits.attributeNameLength },
    examples: [{ size: 'L', engraving: 'For Anna' }],
  });
export const addItemBody = z.strictObject({ productId, quantity: quantity.min(1).default(1), attributes });
export const changeItemQuantityBody = z.strictObject({ quantity: quantity.min(0) });
export const checkOutBody = z.strictObject({
  expectedTotal: z
    .int()
    .min(0)
    .optional()
    .meta({ description: 'What the customer was shown, in minor units. Another total is rejected.' }),
  acceptChanges: z.boolean().optional().meta({ description: 'Buys at the prices of today. If absent, false.' }),
});
export const changeNoteBody = z.strictObject({
  note: z
    .string()
    .refine(isNote, `must be 1–${limits.noteLength} characters, and none of them a control character but line breaks`)
    .nullable()
    .meta({
      description: 'What the customer asks for with the cart, on one line or several; null removes it.',
      minLength: 1,
      maxLength: limits.noteLength,
      examples: ['Please ring twice.'],
    }),
});
const restoreBody = z.strictObject({
  version: z
    .int()
    .min(0)
    .max(limits.version)
    .meta({ examples: [1] }),
});

/** How all commands are answered. */
const command = {
  access: 'carts:write',
  rate: 'commands',
  headers: commandHeaders,
  answers: {
    200: {
      description: 'The command is projected; with `Prefer: wait` only.',
      body: cartShape,
      headers: { ETag: z.string(), 'Preference-Applied': z.string(), 'Idempotent-Replayed': z.string().optional() },
    },
    202: {
      description: 'Temporal has the command. From now on it is durable.',
      body: acceptedShape,
      headers: { Location: z.string(), 'Idempotent-Replayed': z.string().optional() },
    },
  },
} as const satisfies Partial<RouteDescription>;
const commandProblems = {
  ...bodyProblems,
  409: ['superseded', 'cart_handed_over'],
  412: ['version_mismatch'],
  422: ['idempotency_key_reused', 'malformed_command'],
  503: ['temporal_unavailable'],
} as const satisfies RouteDescription['problems'];

/** The routes for the commands that a storefront sends. `answerCommand` answers each of them. */
export const cartCommandRoutes: readonly Route<CommandPorts>[] = [
  defineRoute(
    {
      ...command,
      name: 'addItem',
      method: 'post',
      path: '/carts/{userId}/items',
      summary: 'Adds a product to the cart, to the line with the same attributes',
      params: cartPath,
      body: addItemBody,
      problems: {
        ...commandProblems,
        422: [
          ...commandProblems[422],
          'product_unknown',
          'product_unavailable',
          'quantity_limit_exceeded',
          'line_limit_exceeded',
          'currency_mismatch',
        ],
        503: [...commandProblems[503], 'catalogue_unavailable'],
      },
    },
    async (ports: CommandPorts, request) => {
      const fields = addItemFields(request.body);
      assertQuantityIsPossible(fields.quantity);
      return answerCommand(ports, request, {
        type: 'addItem',
        fields,
        toCommand: async (envelope) => {
          const { available: _available, ...product } = await findForSale(ports.catalogue, fields.productId);
          return { type: 'addItem', ...envelope, ...product, ...fields };
        },
      });
    },
  ),
  defineRoute(
    {
      ...command,
      name: 'changeItemQuantity',
      method: 'put',
      path: '/carts/{userId}/items/{lineId}',
      summary: 'Sets the quantity of a line; 0 removes it',
      params: itemPath,
      body: changeItemQuantityBody,
      problems: {
        ...commandProblems,
        409: [...commandProblems[409], 'item_not_in_cart', 'try_again'],
        422: [...commandProblems[422], 'quantity_limit_exceeded', 'product_unavailable', 'currency_mismatch'],
      },
    },
    async (ports: CommandPorts, request) => {
      const fields = { ...lineFields(request.params.lineId), quantity: request.body.quantity };
      assertQuantityIsPossible(fields.quantity);
      return answerCommand(ports, request, {
        type: 'changeItemQuantity',
        fields,
        toCommand: (envelope) => makeChange(ports, envelope, fields),
      });
    },
  ),
  defineRoute(
    {
      ...command,
      name: 'removeItem',
      method: 'delete',
      path: '/carts/{userId}/items/{lineId}',
      summary: 'Removes a line',
      params: itemPath,
      problems: commandProblems,
    },
    async (ports: CommandPorts, request) => {
      const fields = lineFields(request.params.lineId);
      return answerCommand(ports, request, {
        type: 'removeItem',
        fields,
        toCommand: async (envelope) => ({ type: 'removeItem', ...envelope, ...fields }),
      });
    },
  ),
  defineRoute(
    {
      ...command,
      name: 'clearCart',
      method: 'delete',
      path: '/carts/{userId}/items',
      summary: 'Removes all lines',
      params: cartPath,
      problems: commandProblems,
    },
    async (ports: CommandPorts, request) =>
      answerCommand(ports, request, {
        type: 'clearCart',
        fields: {},
        toCommand: async (envelope) => ({ type: 'clearCart', ...envelope }),
      }),
  ),
  defineRoute(
    {
      ...command,
      name: 'changeNote',
      method: 'put',
      path: '/carts/{userId}/note',
      summary: 'Sets the note of the cart; null removes it',
      params: cartPath,
      body: changeNoteBody,
      problems: commandProblems,
    },
    async (ports: CommandPorts, request) =>
      answerCommand(ports, request, {
        type: 'changeNote',
        fields: request.body,
        toCommand: async (envelope) => ({ type: 'changeNote', ...envelope, ...request.body }),
      }),
  ),
  defineRoute(
    {
      ...command,
      name: 'checkOut',
      method: 'post',
      path: '/carts/{userId}/checkout',
      summary: 'Buys what is in the cart, and empties it',
      params: cartPath,
      body: checkOutBody.optional(),
      problems: {
        ...commandProblems,
        409: [...commandProblems[409], 'cart_empty', 'price_changed', 'total_mismatch', 'try_again'],
        422: [...commandProblems[422], 'quantity_limit_exceeded', 'product_unavailable', 'currency_mismatch'],
        503: [...commandProblems[503], 'catalogue_unavailable'],
      },
    },
    async (ports: CommandPorts, request) => {
      const fields = checkOutFields(request.body);
      return answerCommand(ports, request, {
        type: 'checkOut',
        fields,
        toCommand: (envelope) => makeCheckOut(ports, request.params.userId, envelope, fields),
      });
    },
  ),
  defineRoute(
    {
      ...command,
      name: 'restoreCart',
      method: 'post',
      path: '/carts/{userId}/restore',
      summary: 'Makes the cart what it was at a version, by a new event',
      params: cartPath,
      body: restoreBody,
      problems: {
        ...commandProblems,
        404: ['version_unknown'],
        409: [...commandProblems[409], 'version_unknown'],
        503: [...commandProblems[503], 'database_unavailable'],
      },
    },
    async (ports: CommandPorts, request) => {
      const fields = request.body;
      return answerCommand(ports, request, {
        type: 'restoreCart',
        fields,
        toCommand: async (envelope) => {
          const cart = await ports.readCartAt(request.params.userId, fields.version);
          if (cart === undefined) {
            throw new Problem(404, 'version_unknown', `The cart has no version ${fields.version}.`);
          }
          const { items, currency, note = null } = cart;
          return { type: 'restoreCart', ...envelope, ...fields, items, currency, note };
        },
      });
    },
  ),
];

/** @throws Problem 422 if no cart can hold this quantity; the request then does not become a command. */
function assertQuantityIsPossible(quantity: number): void {
  if (quantity > limits.quantityPerProduct) {
    throw new Problem(
      422,
      'quantity_limit_exceeded',
      `A cart can hold at most ${limits.quantityPerProduct} of a product; the request asks for ${quantity}.`,
    );
  }
}
