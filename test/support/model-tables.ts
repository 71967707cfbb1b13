import type { Knex } from 'knex';
import { readModelTables } from '../../src/postgres/read-model/tables';

/** The read model as text, row by row. Two results are equal if and only if all bytes of the rows are equal. */
export async function readModelText(db: Knex): Promise<Record<string, string[]>> {
  const tables = readModelTables.map(async (table) => {
    const { rows } = await db.raw(`select to_jsonb(t)::text as row from ${table} t order by 1`);
    return [table, rows.map(({ row }: { row: string }) => row)];
  });
  return Object.fromEntries(await Promise.all(tables));
}
