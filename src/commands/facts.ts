import { LRUCache } from 'lru-cache';
import { type Command, isAddItem } from '../domain/commands';
import type { ProductFacts } from '../domain/facts';
import { limits } from '../domain/limits';
import { Problem } from '../http/problem';
import { type Catalogue, factsOf, type Product } from '../postgres/catalogue';
import type { CommandPorts } from './answer-command';

/** @throws Problem 422 if the product is not for sale, 503 if it cannot be looked up. */
export async function findForSale(catalogue: Catalogue, productId: string): Promise<Product> {
  const product = await catalogue.find(productId).catch(rejectLookUp);
  if (product === undefined) throw new Problem(422, 'product_unknown', `There is no product ${productId}.`);
  if (!product.available) throw new Problem(422, 'product_unavailable', `${product.name} is currently not for sale.`);
  return product;
}

/** The facts of a product; none while it cannot be looked up, for a quantity can be lowered without them. */
export async function lookUpProduct({ catalogue }: CommandPorts, productId: string): Promise<ProductFacts[]> {
  try {
    return [factsOf(productId, await catalogue.find(productId))];
  } catch {
    return [];
  }
}

/** The facts of all products in a cart. @throws Problem 503 if they cannot be looked up. */
export async function lookUpCart(ports: CommandPorts, userId: string): Promise<ProductFacts[]> {
  const { catalogue, readCart, recentProducts } = ports;
  const { items } = await readCart(userId).catch(rejectLookUp);
  const productIds = new Set([...items.map(({ productId }) => productId), ...recentProducts.of(userId)]);
  const lookUp = async (productId: string) => factsOf(productId, await catalogue.find(productId));
  return Promise.all([...productIds].map(lookUp)).catch(rejectLookUp);
}

const rememberedMs = 60_000;
const rememberedUsers = 10_000;

/** The products that this process has sent to carts a short time ago. They may be on their way to Postgres. */
export function createRecentProducts() {
  const byUser = new LRUCache<string, readonly string[]>({ max: rememberedUsers, ttl: rememberedMs });
  return {
    of: (userId: string): readonly string[] => byUser.get(userId) ?? [],
    add(userId: string, command: Command): void {
      const sent = isAddItem(command) ? [command] : command.type === 'restoreCart' ? command.items : undefined;
      if (sent === undefined) return;
      const productIds = new Set([...this.of(userId), ...sent.map(({ productId }) => productId)]);
      byUser.set(userId, [...productIds].slice(-limits.linesPerCart));
    },
  };
}

export type RecentProducts = ReturnType<typeof createRecentProducts>;

/** @throws Problem 503 */
export function rejectLookUp(): never {
  throw new Problem(503, 'catalogue_unavailable', 'Products cannot be looked up at the moment; nothing was changed.', {
    retryAfterSeconds: 2,
  });
}
