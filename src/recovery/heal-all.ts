import type { CartLog } from '../postgres/log/compare-log';
import { sweepClosedRuns } from '../temporal/histories/archive-runs';
import { readDecisions } from '../temporal/histories/decisions';
import { type HistorySource, listUsers } from '../temporal/histories/histories';
import { forEachAtOnce } from './each';
import { healMany } from './heal-many';

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
const decisionsAtOnce = 2_000;

/**
 * Brings the copy of every cart's log up to what Temporal's histories tell. Commands, projections and queries go on; calling
 * it again, or after a kill, does no harm.
 */
export async function healAll(source: HistorySource, onProgress: (soFar: HealResult) => void): Promise<HealResult> {
  await sweepClosedRuns(source);
  let result: HealResult = { carts: 0, decisions: 0, missing: 0, failed: [] };
  const heal = async (logs: readonly CartLog[]) => {
    const outcomes = await healMany(source.db, logs);
    result = logs.reduce((soFar, log, index) => plus(soFar, log, outcomes[index]!), result);
    onProgress(result);
  };
  let read: CartLog[] = [];
  let size = 0;
  // Who reads the last cart of a batch heals it, while the others read on.
  await forEachAtOnce(listUsers(source), cartsAtOnce, async (userId) => {
    const decisions = await readDecisions(source, userId, { isSwept: true });
    read.push({ userId, decisions });
    size += decisions.length;
    if (size < decisionsAtOnce) return;
    const batch = read;
    [read, size] = [[], 0];
    await heal(batch);
  });
  await heal(read);
  return result;
}

const plus = (soFar: HealResult, { userId, decisions }: CartLog, outcome: number | Error): HealResult => ({
  carts: soFar.carts + 1,
  decisions: soFar.decisions + decisions.length,
  missing: soFar.missing + (outcome instanceof Error ? 0 : outcome),
  failed: outcome instanceof Error ? [...soFar.failed, { userId, reason: outcome.message }] : soFar.failed,
});
