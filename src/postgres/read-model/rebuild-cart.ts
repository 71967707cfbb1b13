import type { Knex } from 'knex';
import { readLogs } from '../log/read-logs';
import { buildReadModel } from './build';
import { replaceReadModels } from './replace';
import { readStoredModel } from './stored';

/** What a rebuild did. `differed`: the users whose read model was not what the log makes. */
export interface RebuildResult {
  readonly carts: number;
  readonly events: number;
  readonly differed: readonly string[];
}

/**
 * Builds the read model of one cart anew from its log, in place and in one transaction.
 * @returns undefined where the user has no log.
 */
export async function rebuildCart(db: Knex, userId: string): Promise<RebuildResult | undefined> {
  return db.transaction(async (trx) => {
    await trx('carts').where({ user_id: userId }).forUpdate().first();
    const [log] = await readLogs(trx, [userId]);
    if (log === undefined || log.commands.length === 0) return undefined;
    const before = JSON.stringify(await readStoredModel(trx, userId));
    await replaceReadModels(trx, 'public', [userId], [buildReadModel(log)]);
    const after = JSON.stringify(await readStoredModel(trx, userId));
    return { carts: 1, events: log.events.length, differed: before === after ? [] : [userId] };
  });
}
