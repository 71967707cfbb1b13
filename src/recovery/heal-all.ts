import type { CartLog } from '../postgres/log/compare-log';
import { sweepClosedRuns } from '../temporal/histories/archive-runs';
import { forEachAtOnce } from '../temporal/histories/each';
import { type HistorySource, listUsers } from '../temporal/histories/histories';
import { readDecisions } from '../temporal/histories/read-decisions';
import { healMany } from './heal-many';

/** The result of healing. */
export interface HealResult {
  readonly carts: number;
  /** How many decisions the histories have. */
  readonly decisions: number;
  /** How many of those were missing in Postgres. */
  readonly missing: number;
  /** The carts that could not be healed. A person must check them. */
  readonly failed: readonly { readonly userId: string; readonly reason: string }[];
}

const cartsAtOnce = 8;
const decisionsAtOnce = 2_000;

/**
 * Writes the decisions of Temporal's histories that the log in Postgres lacks, for every cart. Commands, projections
 * and queries continue. It can be called again at any time, also after a kill.
 */
export async function healAll(source: HistorySource, onProgress: (soFar: HealResult) => void): Promise<HealResult> {
  await sweepClosedRuns(source);
  let result: HealResult = { carts: 0, decisions: 0, missing: 0, failed: [] };
  const heal = async (logs: readonly CartLog[]) => {
    const outcomes = await healMany(source.db, logs);
    result = logs.reduce((soFar, log, index) => addOutcome(soFar, log, outcomes[index]!), result);
    onProgress(result);
  };
  let batch: CartLog[] = [];
  let decisionCount = 0;
  // The reader that fills a batch heals it. The other readers continue.
  await forEachAtOnce(listUsers(source), cartsAtOnce, async (userId) => {
    const decisions = await readDecisions(source, userId, { isSwept: true });
    batch.push({ userId, decisions });
    decisionCount += decisions.length;
    if (decisionCount < decisionsAtOnce) return;
    const full = batch;
    [batch, decisionCount] = [[], 0];
    await heal(full);
  });
  await heal(batch);
  return result;
}

const addOutcome = (soFar: HealResult, { userId, decisions }: CartLog, outcome: number | Error): HealResult => ({
  carts: soFar.carts + 1,
  decisions: soFar.decisions + decisions.length,
  missing: soFar.missing + (outcome instanceof Error ? 0 : outcome),
  failed: outcome instanceof Error ? [...soFar.failed, { userId, reason: outcome.message }] : soFar.failed,
});
