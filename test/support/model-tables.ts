import type { Knex } from 'knex';
import { readModelTables } from '../../src/postgres/read-model/tables';

/** The whole read model as text, row by row: equal exactly when all of its bytes are. */
export async function readModelText(db: Knex): Promise<Record<string, string[]>> {
  const tables = readModelTables.map(async (table) => {
    const { rows } = await db.raw(`select to_jsonb(t)::text as row from ${table} t order by 1`);
    return [table, rows.map(({ row }: { row: string }) => row)];
  });
  return Object.fromEntries(await Promise.all(tables));
}
