import { setTimeout as delay } from 'node:timers/promises';
import type { Knex } from 'knex';
import type { RecordedDecision } from '../domain/handle';
import { isDatabaseAway } from '../postgres/database';
import { readDecisions } from '../temporal/decisions';
import { type HistorySource, listUsers, sweepClosedRuns } from '../temporal/histories';
import { forEachAtOnce } from './each';
import { healCart } from './heal';

/** What healing did. `failed`: carts that a person must look at, each with the reason. */
export interface HealResult {
  readonly carts: number;
  /** How many decisions the histories told. */
  readonly decisions: number;
  /** How many of those were missing from Postgres. */
  readonly missing: number;
  readonly failed: readonly { readonly userId: string; readonly reason: string }[];
}

const cartsAtOnce = 8;

/**
 * Brings the copy of every cart's log up to what Temporal's histories tell. Commands, projections and queries go on; calling
 * it again, or after a kill, does no harm.
 */
export async function healAll(source: HistorySource, onProgress: (soFar: HealResult) => void): Promise<HealResult> {
  await sweepClosedRuns(source);
  let result: HealResult = { carts: 0, decisions: 0, missing: 0, failed: [] };
  await forEachAtOnce(listUsers(source), cartsAtOnce, async (userId) => {
    const decisions = await readDecisions(source, userId, { isSwept: true });
    const outcome = await healPatiently(source.db, userId, decisions).catch((error: Error) => error);
    result = {
      carts: result.carts + 1,
      decisions: result.decisions + decisions.length,
      missing: result.missing + (outcome instanceof Error ? 0 : outcome),
      failed: outcome instanceof Error ? [...result.failed, { userId, reason: outcome.message }] : result.failed,
    };
    onProgress(result);
  });
  return result;
}

/** Heals a cart, again where Postgres was away for a moment. */
async function healPatiently(db: Knex, userId: string, decisions: readonly RecordedDecision[]): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await healCart(db, userId, decisions);
    } catch (error) {
      if (!isDatabaseAway(error) || attempt === 5) throw error;
      await delay(attempt * 1_000);
    }
  }
}
