import type { ChangeItemQuantity, CheckOut, Envelope } from '../domain/commands';
import { type Attributes, type LineRef, toLineRef } from '../domain/lines';
import type { CommandPorts } from './answer-command';
import { lookUpCart, lookUpProduct } from './facts';

/** Makes the command with what is known of the product. */
export async function makeChange(
  ports: CommandPorts,
  envelope: Envelope,
  fields: LineRef & { readonly quantity: number },
): Promise<ChangeItemQuantity> {
  const facts = fields.quantity === 0 ? [] : await lookUpProduct(ports, fields.productId);
  return { type: 'changeItemQuantity', ...envelope, ...fields, facts };
}

/** Makes the command with the facts of all products in the cart. @throws Problem 503 if they cannot be looked up. */
export async function makeCheckOut(
  ports: CommandPorts,
  userId: string,
  envelope: Envelope,
  { expectedTotal, acceptChanges }: CheckOutFields,
): Promise<CheckOut> {
  return {
    type: 'checkOut',
    ...envelope,
    ...(expectedTotal === undefined ? {} : { expectedTotal }),
    ...(acceptChanges ? { acceptChanges } : {}),
    facts: await lookUpCart(ports, userId),
  };
}

interface CheckOutFields {
  readonly expectedTotal?: number | undefined;
  readonly acceptChanges?: boolean | undefined;
}

interface AddItemFields {
  readonly productId: string;
  readonly quantity: number;
  readonly attributes?: Attributes | undefined;
}

/** The fields of an addition as they are recorded. */
export const addItemFields = ({ productId, quantity, attributes }: AddItemFields) => ({
  productId,
  quantity,
  attributes,
});

/** The fields of a checkout as they are recorded. */
export const checkOutFields = ({ expectedTotal, acceptChanges }: CheckOutFields = {}) => ({
  expectedTotal,
  acceptChanges: acceptChanges || undefined,
});

/** The fields of a command that names a line, as they are recorded. */
export function lineFields(id: string) {
  const { productId, lineId } = toLineRef(id);
  return { productId, lineId };
}
