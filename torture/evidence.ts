import { writeFile } from 'node:fs/promises';
import { Client } from 'pg';
import type { Violation } from './check/types';
import type { World } from './world/world';

/** Ways to read the same rows: where they differ, an index is broken. */
const ways: Readonly<Record<string, readonly string[]>> = {
  byIndex: ['enable_seqscan'],
  byTable: ['enable_indexscan', 'enable_indexonlyscan', 'enable_bitmapscan'],
};

/** Writes the periods of the lines of every cart with a violation: past versions are read from them. */
export async function writePeriods({ postgres }: World, violations: readonly Violation[], file: string): Promise<void> {
  const carts = [...new Set(violations.flatMap(({ cart }) => (cart === undefined ? [] : [cart])))];
  if (carts.length === 0) return;
  const client = new Client({ connectionString: postgres.current().url });
  await client.connect();
  try {
    const periods: Record<string, unknown> = {};
    for (const [way, settings] of Object.entries(ways)) {
      await client.query('begin');
      for (const setting of settings) await client.query(`set local ${setting} = off`);
      const { rows } = await client.query(
        `select user_id, product_id, quantity, versions::text, during::text, ctid::text, xmin::text
         from cart_item_history where user_id = any($1) order by user_id, lower(versions), product_id`,
        [carts],
      );
      await client.query('commit');
      periods[way] = rows;
    }
    await writeFile(file, JSON.stringify(periods));
  } finally {
    await client.end();
  }
}
