import type { Knex } from 'knex';
import type { RecordedDecision } from '../domain/handle';
import { readSequence } from '../postgres/log/read-logs';
import { project } from '../postgres/projection/project';
import { rebuildCart } from '../postgres/read-model/rebuild-cart';
import { readModelSequence } from '../postgres/read-model/stored';

/**
 * Writes those decisions of a cart that Postgres lacks, into the log and the read model.
 * @returns how many those were.
 * @throws ForkError where the log has something else; GapError where the decisions do not reach back far enough.
 */
export async function healCart(db: Knex, userId: string, decisions: readonly RecordedDecision[]): Promise<number> {
  if (decisions.length === 0) return 0;
  const isBehind = (await readSequence(db, userId)) !== (await readModelSequence(db, userId));
  if (isBehind) await rebuildCart(db, userId);
  return db.transaction((trx) => project(trx, userId, decisions));
}
