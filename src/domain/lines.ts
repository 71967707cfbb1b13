import type { Line } from './events';
import { fnv1a } from './fnv1a';

/** What a customer chose of a product, as a size or an engraving: flat, by name. See `limits`. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** Names a line of a cart. A line without attributes has the id of its product, and events do not repeat it. */
export interface LineRef {
  readonly productId: string;
  readonly lineId?: string | undefined;
}

/** No product id has this character, and clients need not escape it in a path. */
const separator = '!';

export const lineIdOf = ({ productId, lineId = productId }: LineRef): string => lineId;

/** The product of the line with this id. */
export const productOf = (lineId: string): string => lineId.split(separator, 1)[0]!;

/** The line with this id, as commands and events name it. */
export const toLineRef = (lineId: string): LineRef => {
  const productId = productOf(lineId);
  return productId === lineId ? { productId } : { productId, lineId };
};

export const refOfLine = ({ productId, lineId }: LineRef): LineRef =>
  lineId === undefined ? { productId } : { productId, lineId };

/** The line that a product with these attributes has: the same one for equal attributes, whatever their order is. */
export function lineWith(productId: string, attributes: Attributes | undefined): LineRef & Pick<Line, 'attributes'> {
  if (attributes === undefined) return { productId };
  const lineId = `${productId}${separator}${fnv1a(textOf(attributes))}`;
  return { productId, lineId, attributes };
}

/** The attributes as text that does not depend on their order. */
export const textOf = (attributes: Attributes): string =>
  JSON.stringify(Object.entries(attributes).sort(([one], [other]) => (one < other ? -1 : 1)));

/** How many units of a product all its lines have. */
export const quantityOf = (lines: readonly Line[], productId: string): number =>
  lines.reduce((sum, line) => sum + (line.productId === productId ? line.quantity : 0), 0);
