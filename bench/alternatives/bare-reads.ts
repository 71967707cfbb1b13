import express from 'express';
import { Pool } from 'pg';
import type { ChildOptions } from '../children';
import { listen } from './listen';

const cartNow = `
  select version, status, currency, item_count as "itemCount", subtotal, updated_at as "updatedAt",
         (select coalesce(json_agg(json_build_object(
            'productId', product_id, 'name', name, 'quantity', quantity, 'unitPrice', unit_price,
            'lineTotal', quantity * unit_price, 'addedAt', added_at) order by added_version), '[]')
          from cart_items i where i.user_id = carts.user_id) as items
  from carts where user_id = $1`;

/** The smallest read API: Express and one prepared statement on a pool. It validates nothing. */
export async function openBareReads({ databaseUrl }: ChildOptions): Promise<{ port: number }> {
  const pool = new Pool({ connectionString: databaseUrl, max: 10 });
  const app = express();
  app.get('/carts/:userId', async (req, res) => {
    const { userId } = req.params;
    const { rows } = await pool.query({ name: 'cart', text: cartNow, values: [userId] });
    res.json({ userId, ...rows[0] });
  });
  return listen(app);
}
