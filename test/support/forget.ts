import type { Knex } from 'knex';
import { rebuildCart } from '../../src/postgres/read-model/rebuild-cart';

/** Forgets a cart's decisions after a sequence, as an older backup does. */
export async function forget(db: Knex, userId: string, sequence: number): Promise<void> {
  await db.transaction(async (trx) => {
    await trx.raw("set local session_replication_role = 'replica'");
    for (const table of ['cart_events', 'cart_commands']) {
      await trx(table).where({ user_id: userId }).where('sequence', '>', sequence).delete();
    }
    for (const table of ['cart_item_history', 'cart_items', 'carts'])
      await trx(table).where({ user_id: userId }).delete();
  });
  await rebuildCart(db, userId);
}
