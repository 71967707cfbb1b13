import { CommandHandler, type Event } from '@event-driven-io/emmett';
import { getPostgreSQLEventStore, pongoSingleStreamProjection } from '@event-driven-io/emmett-postgresql';
import express from 'express';
import type { ChildOptions } from '../children';
import { listen } from './listen';

type QuantityChanged = Event<'QuantityChanged', { productId: string; quantity: number }>;
interface Cart {
  [key: string]: unknown;
  items: Record<string, number>;
}

const evolve = (cart: Cart, { data }: QuantityChanged): Cart => {
  const { [data.productId]: _old, ...others } = cart.items;
  return { items: data.quantity === 0 ? others : { ...others, [data.productId]: data.quantity } };
};

/**
 * A cart made with Emmett: its event store on Postgres, projected in the transaction that appends, behind Express. It
 * answers a command once it is decided and projected.
 */
export async function openEmmett({ databaseUrl }: ChildOptions): Promise<{ port: number }> {
  const projection = pongoSingleStreamProjection<Cart, QuantityChanged>({
    collectionName: 'emmett_carts',
    canHandle: ['QuantityChanged'],
    initialState: () => ({ items: {} }),
    evolve,
  });
  const store = getPostgreSQLEventStore(databaseUrl, { projections: [{ type: 'inline', projection }] });
  await store.schema.migrate();
  const handle = CommandHandler<Cart, QuantityChanged>({
    evolve,
    initialState: () => ({ items: {} }),
    retry: { onVersionConflict: { retries: 50, minTimeout: 5, factor: 1.3 } },
  });
  const app = express();
  app.use(express.json());
  app.post('/carts/:userId/items', async (req, res) => {
    const { productId, quantity } = req.body;
    await handle(store, `cart-${req.params.userId}`, (cart) => ({
      type: 'QuantityChanged',
      data: { productId, quantity: (cart.items[productId] ?? 0) + quantity },
    }));
    res.status(204).end();
  });
  return listen(app);
}
