import { Pool } from 'pg';

/** Writes the line that a command changed, and counts the command, in one statement. */
const statement = `
  with line as (
    insert into simple_items (user_id, product_id, quantity) values ($1, $2, $3)
    on conflict (user_id, product_id) do update set quantity = excluded.quantity
  )
  insert into simple_carts (user_id, commands) values ($1, 1)
  on conflict (user_id) do update set commands = simple_carts.commands + 1`;

/** The tables of the simple designs. */
export const simpleTables = `
  create table if not exists simple_items (
    user_id text, product_id text, quantity integer not null, primary key (user_id, product_id)
  );
  create table if not exists simple_carts (user_id text primary key, commands integer not null)`;

/** The activity of the simple designs: it writes the line that changed. */
export function createWriteItem(databaseUrl: string) {
  const pool = new Pool({ connectionString: databaseUrl, max: 10 });
  return {
    activities: {
      async writeItem(userId: string, productId: string, quantity: number): Promise<void> {
        await pool.query({ name: 'write-item', text: statement, values: [userId, productId, quantity] });
      },
    },
  };
}

export type WriteItemActivities = ReturnType<typeof createWriteItem>['activities'];
