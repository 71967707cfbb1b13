import { temporal } from '@temporalio/proto';
import { userIdOf } from '../../contract/ids';
import { cartWorkflowType } from '../../contract/workflow';
import { archive, findArchived } from '../../postgres/archive';
import type { HistorySource } from './histories';
import { listRuns } from './list-runs';
import { endOf, fetchHistory, startOf } from './runs';

const { History: HistoryMessage } = temporal.api.history.v1;

/**
 * Archives a closed run's history as Temporal stores it. Compare two copies of a history by content and not by bytes,
 * because Temporal returns the entries of maps in a different order each time.
 * @returns `present` if the archive has the run already, `forgotten` if neither the archive nor Temporal has it.
 * @throws Error if the run has not ended.
 */
export async function archiveRun(
  { client, db }: HistorySource,
  workflowId: string,
  runId: string,
): Promise<'new' | 'present' | 'forgotten'> {
  if ((await findArchived(db, [runId])).has(runId)) return 'present';
  const history = await fetchHistory(client, workflowId, runId);
  if (history === undefined) return 'forgotten';
  const end = endOf(history);
  if (end === undefined) throw new Error(`Run ${runId} of ${workflowId} has not ended.`);
  const userId = userIdOf(workflowId);
  const run = { userId, workflowId, runId, ...startOf(history), ...end, eventCount: history.events!.length };
  return (await archive(db, run, HistoryMessage.encode(history).finish())) ? 'new' : 'present';
}

/**
 * Archives all closed runs that are not in the archive yet.
 * @param signal stops the sweep early.
 * @returns how many runs it archived.
 * @throws Error that names the runs that could not be archived, after it has tried all of them.
 */
export async function sweepClosedRuns(source: HistorySource, signal?: AbortSignal): Promise<number> {
  const query = `WorkflowType = '${cartWorkflowType}' and ExecutionStatus != 'Running'`;
  const failures: string[] = [];
  let archived = 0;
  const findKnown = (runIds: readonly string[]) => findArchived(source.db, runIds);
  for await (const { workflowId, runId, isKnown } of listRuns(source.client, query, findKnown)) {
    if (signal?.aborted) break;
    if (isKnown) continue;
    const outcome = await archiveRun(source, workflowId, runId).catch((error: Error) => error);
    if (outcome === 'new') archived += 1;
    if (outcome instanceof Error) failures.push(`run ${runId} of ${workflowId}: ${outcome.message}`);
  }
  if (failures.length > 0) {
    throw new Error(
      `${archived} closed runs were archived, ${failures.length} could not be archived:\n${failures.join('\n')}`,
    );
  }
  return archived;
}
