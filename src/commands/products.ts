import { Router } from 'express';
import { z } from 'zod';
import { isCurrency, isName, isUnitPrice } from '../domain/fields';
import { limits } from '../domain/limits';
import { id, validate } from '../http/validation';
import type { Catalogue } from '../postgres/catalogue';

const productPath = z.object({ productId: id });
const productBody = z.strictObject({
  name: z.string().refine(isName, `must be 1–${limits.nameLength} characters without control characters`),
  unitPrice: z.number().refine(isUnitPrice, `must be a whole number of minor units from 0 to ${limits.unitPrice}`),
  currency: z.string().refine(isCurrency, 'must be an ISO 4217 code such as EUR'),
  maxQuantity: z.int().min(1).max(limits.quantityPerLine).optional(),
  available: z.boolean().default(true),
});

/** `PUT /products/{productId}`: 201 with the product if it is new, else 200. Lines in carts keep their price. */
export function productCommandRoutes(catalogue: Catalogue): Router {
  const router = Router();
  router.put('/products/:productId', async (req, res) => {
    const { productId } = validate(productPath, req.params);
    const { maxQuantity, ...body } = validate(productBody, req.body);
    const product = { productId, ...body, ...(maxQuantity === undefined ? {} : { maxQuantity }) };
    const isNew = await catalogue.put(product);
    res.status(isNew ? 201 : 200).json(product);
  });
  return router;
}
