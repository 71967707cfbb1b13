import { Router } from 'express';
import { z } from 'zod';
import { limits } from '../domain/limits';
import { Problem } from '../http/problem';
import { cartPath, id, validate } from '../http/validation';
import type { Catalogue, Product } from '../postgres/catalogue';
import { answerCommand, type CommandPorts } from './answer-command';

const itemPath = cartPath.extend({ productId: id });
const noBody = z.strictObject({}).optional();
const quantity = z.int();
const addItemBody = z.strictObject({ productId: id, quantity: quantity.min(1).default(1) });
const restoreBody = z.strictObject({ version: z.int().min(0) });
const changeItemQuantityBody = z.strictObject({ quantity: quantity.min(0) });

/** The routes for the commands that a storefront sends. `answerCommand` answers each of them. */
export function cartCommandRoutes(ports: CommandPorts): Router {
  const router = Router();

  router.post('/carts/:userId/items', async (req, res) => {
    const fields = validate(addItemBody, req.body);
    assertQuantityIsPossible(fields.quantity);
    await answerCommand(ports, req, res, {
      type: 'addItem',
      fields,
      toCommand: async (envelope) => {
        const { productId, name, unitPrice, currency, maxQuantity } = await findForSale(
          ports.catalogue,
          fields.productId,
        );
        return {
          type: 'addItem',
          ...envelope,
          productId,
          name,
          unitPrice,
          currency,
          quantity: fields.quantity,
          ...(maxQuantity === undefined ? {} : { maxQuantity }),
        };
      },
    });
  });

  router.put('/carts/:userId/items/:productId', async (req, res) => {
    const { productId } = validate(itemPath, req.params);
    const body = validate(changeItemQuantityBody, req.body);
    assertQuantityIsPossible(body.quantity);
    const fields = { productId, quantity: body.quantity };
    await answerCommand(ports, req, res, {
      type: 'changeItemQuantity',
      fields,
      toCommand: async (envelope) => {
        const maxQuantity = (await findInCatalogue(ports.catalogue, productId))?.maxQuantity;
        return {
          type: 'changeItemQuantity',
          ...envelope,
          ...fields,
          ...(maxQuantity === undefined ? {} : { maxQuantity }),
        };
      },
    });
  });

  router.delete('/carts/:userId/items/:productId', async (req, res) => {
    const { productId } = validate(itemPath, req.params);
    const fields = { productId };
    await answerCommand(ports, req, res, {
      type: 'removeItem',
      fields,
      toCommand: async (envelope) => ({ type: 'removeItem', ...envelope, ...fields }),
    });
  });

  router.delete('/carts/:userId/items', async (req, res) => {
    validate(noBody, req.body);
    await answerCommand(ports, req, res, {
      type: 'clearCart',
      fields: {},
      toCommand: async (envelope) => ({ type: 'clearCart', ...envelope }),
    });
  });

  router.post('/carts/:userId/checkout', async (req, res) => {
    validate(noBody, req.body);
    await answerCommand(ports, req, res, {
      type: 'checkOut',
      fields: {},
      toCommand: async (envelope) => ({ type: 'checkOut', ...envelope }),
    });
  });

  router.post('/carts/:userId/restore', async (req, res) => {
    const { userId } = validate(cartPath, req.params);
    const fields = validate(restoreBody, req.body);
    await answerCommand(ports, req, res, {
      type: 'restoreCart',
      fields,
      toCommand: async (envelope) => {
        const cart = await ports.readCartAt(userId, fields.version);
        if (cart === undefined) {
          throw new Problem(404, 'version_unknown', `The cart has no version ${fields.version}.`);
        }
        const { items, currency } = cart;
        return { type: 'restoreCart', ...envelope, ...fields, items, currency };
      },
    });
  });

  return router;
}

/** @throws Problem 422 if no cart can hold this quantity; the request then does not become a command. */
function assertQuantityIsPossible(quantity: number): void {
  if (quantity > limits.quantityPerLine) {
    throw new Problem(
      422,
      'quantity_limit_exceeded',
      `A cart can hold at most ${limits.quantityPerLine} of a product; the request asks for ${quantity}.`,
    );
  }
}

async function findForSale(catalogue: Catalogue, productId: string): Promise<Product> {
  const product = await findInCatalogue(catalogue, productId);
  if (product === undefined) throw new Problem(422, 'product_unknown', `There is no product ${productId}.`);
  if (!product.available) throw new Problem(422, 'product_unavailable', `${product.name} is currently not for sale.`);
  return product;
}

async function findInCatalogue(catalogue: Catalogue, productId: string): Promise<Product | undefined> {
  try {
    return await catalogue.find(productId);
  } catch {
    throw new Problem(
      503,
      'catalogue_unavailable',
      'The product cannot be looked up at the moment; nothing was changed.',
      {
        retryAfterSeconds: 2,
      },
    );
  }
}
