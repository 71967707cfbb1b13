import { cartWorkflowId } from '../contract/ids';
import { findSettled, settledSince } from '../postgres/settled-runs';
import { type HistorySource, readHistory } from '../temporal/histories/histories';
import { hasLeftBehind } from '../temporal/histories/received-commands';
import { endOf, type History } from '../temporal/histories/runs';

/** How Temporal's list names the endings after which another run continues, or nothing was left. */
const handedOn: ReadonlySet<string> = new Set(['CONTINUED_AS_NEW', 'COMPLETED']);

/**
 * Reads the runs of a cart that ended without handing on what they had received, but for those that are settled. Runs
 * that ended before this database knew of settled runs are left alone.
 * @param openRunId the run that asks: Temporal's list may not have its end yet, so every other run is looked at.
 */
export async function readLeftRuns(source: HistorySource, userId: string, openRunId?: string): Promise<History[]> {
  const runIds: string[] = [];
  const query = `WorkflowId = '${cartWorkflowId(userId)}'`;
  for await (const { runId, status } of source.client.workflow.list({ query })) {
    if (runId !== openRunId && !handedOn.has(status.name)) runIds.push(runId);
  }
  if (runIds.length === 0) return [];
  const [settled, since] = [await findSettled(source.db, runIds), await settledSince(source.db)];
  const runs: History[] = [];
  for (const runId of runIds.filter((id) => !settled.has(id))) {
    const history = await readHistory(source, userId, runId);
    if (history && hasLeftBehind(history) && endOf(history)!.closedAt >= since.toISOString()) runs.push(history);
  }
  return runs;
}
