import { z } from 'zod';
import { isCurrency, isName, isUnitPrice } from '../domain/fields';
import { limits } from '../domain/limits';
import { defineRoute, type Route } from '../http/route';
import { productShape } from '../http/shapes';
import { bodyProblems, productPath } from '../http/validation';
import type { CommandPorts } from './answer-command';

/** At least one character that a reader sees. Not every reader of JSON Schema knows such a pattern. */
const visible = /[^\p{Z}\p{C}\p{Default_Ignorable_Code_Point}\u2800]/u;

const productBody = z.strictObject({
  name: z
    .string()
    .refine(isName, `must be 1–${limits.nameLength} characters without control characters`)
    .refine((name) => visible.test(name), 'must have a visible character')
    .meta({ minLength: 1, maxLength: limits.nameLength, examples: ['Stoneware mug'] }),
  unitPrice: z
    .number()
    .refine(isUnitPrice, `must be a whole number of minor units from 0 to ${limits.unitPrice}`)
    .meta({ type: 'integer', minimum: 0, maximum: limits.unitPrice, examples: [1_250] }),
  currency: z
    .string()
    .refine(isCurrency, 'must be an ISO 4217 code such as EUR')
    .meta({ pattern: '^[A-Z]{3}$', examples: ['EUR'] }),
  maxQuantity: z.int().min(1).max(limits.quantityPerProduct).optional(),
  available: z.boolean().default(true),
});

/** Changes the catalogue. Lines in carts keep their price. */
export const putProductRoute: Route<CommandPorts> = defineRoute(
  {
    name: 'putProduct',
    method: 'put',
    path: '/products/{productId}',
    summary: 'Adds a product to the catalogue, or changes it',
    access: 'catalogue:write',
    rate: 'commands',
    params: productPath,
    body: productBody,
    answers: {
      200: { description: 'The product is changed.', body: productShape },
      201: { description: 'The product is new.', body: productShape },
    },
    problems: { ...bodyProblems, 503: ['database_unavailable'] },
  },
  async ({ catalogue }: CommandPorts, { params: { productId }, body }) => {
    const { maxQuantity, ...rest } = body;
    const product = { productId, ...rest, ...(maxQuantity === undefined ? {} : { maxQuantity }) };
    const isNew = await catalogue.put(product);
    return { status: isNew ? 201 : 200, body: product };
  },
);
