import express from 'express';
import { Pool } from 'pg';
import type { ChildOptions } from '../children';
import { toCommand } from '../lines';
import { listen } from './listen';
import { decideInTransaction } from './rows';

/** Express and one transaction per command: nothing is queued, and what a crash interrupts the client sends again. */
export async function openPlainPostgres({ databaseUrl }: ChildOptions): Promise<{ port: number }> {
  const pool = new Pool({ connectionString: databaseUrl, max: 10 });
  const app = express();
  app.use(express.json());
  app.post('/carts/:userId/items', async (req, res) => {
    const { userId } = req.params;
    res.json({ outcome: await decideInTransaction(pool, userId, toCommand(userId, req.body)) });
  });
  return listen(app);
}
