import type { Knex } from 'knex';
import type { RecordedDecision } from '../domain/handle';
import { readSequence } from '../postgres/log/read-logs';
import { project } from '../postgres/projection/project';
import { rebuildCart } from '../postgres/read-model/rebuild-cart';
import { readModelSequence } from '../postgres/read-model/stored';

/**
 * Writes the decisions of a cart that Postgres lacks to the log and the read model.
 * @param decisions the decisions of the cart that are in histories, in order.
 * @returns how many were missing.
 * @throws ForkError if the log has other decisions. GapError if decisions are missing in Postgres and in the histories.
 */
export async function healCart(db: Knex, userId: string, decisions: readonly RecordedDecision[]): Promise<number> {
  if (decisions.length === 0) return 0;
  const isReadModelBehind = (await readSequence(db, userId)) !== (await readModelSequence(db, userId));
  if (isReadModelBehind) await rebuildCart(db, userId);
  return db.transaction((trx) => project(trx, userId, decisions));
}
