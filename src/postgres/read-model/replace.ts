import type { Knex } from 'knex';
import type { ReadModel } from './build';
import { readModelTables } from './tables';

/** Replaces the read models of these users in a schema. Call it in a transaction. */
export async function replaceReadModels(
  trx: Knex,
  schema: string,
  userIds: readonly string[],
  models: readonly ReadModel[],
): Promise<void> {
  for (const table of [...readModelTables].reverse()) {
    await trx(`${schema}.${table}`).whereIn('user_id', userIds).delete();
  }
  for (const table of readModelTables) {
    const rows = models.flatMap((model) => model[table]);
    if (rows.length === 0) continue;
    await trx.raw(
      `insert into ${schema}.${table} select * from jsonb_populate_recordset(null::${schema}.${table}, ?::jsonb)`,
      [JSON.stringify(rows)],
    );
  }
}
