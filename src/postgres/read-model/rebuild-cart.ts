import type { Knex } from 'knex';
import { readLogs } from '../log/read-logs';
import { buildReadModel } from './build';
import { replaceReadModels } from './replace';
import { readStoredModel } from './stored';

/** The result of a rebuild. */
export interface RebuildResult {
  readonly carts: number;
  readonly events: number;
  /** The users whose read model was different from the rebuilt one. */
  readonly differed: readonly string[];
}

/**
 * Rebuilds the read model of one cart from its log, in place and in one transaction.
 * @returns undefined if the user has no log.
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
