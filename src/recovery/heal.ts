import type { Knex } from 'knex';
import type { RecordedDecision } from '../domain/handle';
import { GapError, project } from '../postgres/project';
import { rebuildCart } from './rebuild';

/** Gives the decisions of a cart after a sequence that Temporal's histories, live or archived, still tell, in order. */
export type ReadDecisions = (userId: string, after: number) => Promise<readonly RecordedDecision[]>;

/**
 * Brings the copy of a cart's log up to what the histories tell, and the read model with it.
 * @returns how many decisions were missing.
 * @throws ForkError where the two disagree; GapError where the histories do not reach back far enough.
 */
export async function healCart(db: Knex, userId: string, decisions: readonly RecordedDecision[]): Promise<number> {
  if (decisions.length === 0) return 0;
  const log = await db('cart_commands').where({ user_id: userId }).max('sequence as sequence').first();
  const cart = await db('carts').where({ user_id: userId }).first('sequence');
  if ((log?.sequence ?? 0) !== (cart?.sequence ?? 0)) await rebuildCart(db, userId);
  return db.transaction((trx) => project(trx, userId, decisions));
}

/**
 * Projects decisions before which Postgres misses some, by taking those from the histories first.
 * @throws GapError where the histories do not have them either.
 */
export async function projectAcrossGap(
  db: Knex,
  userId: string,
  decisions: readonly RecordedDecision[],
  gap: GapError,
  readDecisions: ReadDecisions,
): Promise<number> {
  const first = decisions[0]!.sequence;
  const missing = (await readDecisions(userId, gap.after)).filter(({ sequence }) => sequence < first);
  if (missing.length !== first - gap.after - 1) {
    throw new GapError(
      `${gap.message} Temporal's histories have only ${missing.length} of the ${first - gap.after - 1} that are missing.`,
      gap.after,
    );
  }
  return db.transaction((trx) => project(trx, userId, [...missing, ...decisions]));
}
