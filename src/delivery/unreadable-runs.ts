import { isGrpcServiceError } from '@temporalio/client';
import { userIdOf } from '../contract/ids';
import { cartWorkflowType } from '../contract/workflow';
import { type HistorySource, readHistory } from '../temporal/histories/histories';
import { listRuns } from '../temporal/histories/list-runs';
import type { History } from '../temporal/histories/runs';

/** Temporal marks runs whose workflow tasks fail again and again. */
const query = [
  `WorkflowType = '${cartWorkflowType}'`,
  "ExecutionStatus = 'Running'",
  "TemporalReportedProblems = 'category=WorkflowTaskFailed'",
].join(' and ');

/**
 * Ends the runs that no worker can replay. Pausing a run in the Web UI fails a workflow task that no worker has
 * started, and the SDK (1.24) reads no history with such a task: each later task of the run fails. What the run had
 * received is then delivered to the cart's next run.
 * @returns the ids of the runs.
 */
export async function endUnreadableRuns(source: HistorySource, signal?: AbortSignal): Promise<string[]> {
  const ended: string[] = [];
  try {
    for await (const { workflowId, runId } of listRuns(source.client, query, async () => new Set())) {
      if (signal?.aborted) break;
      const history = await readHistory(source, userIdOf(workflowId), runId);
      if (history === undefined || !isUnreadable(history)) continue;
      await source.client.workflow
        .getHandle(workflowId, runId)
        .terminate('its history cannot be replayed after a pause');
      ended.push(runId);
    }
  } catch (error) {
    // A server that marks no such runs does not know the search attribute.
    if (!isGrpcServiceError(error) || error.code !== invalidArgument) throw error;
  }
  return ended;
}

const invalidArgument = 3;

/** Whether a workflow task failed that no worker had started. */
const isUnreadable = ({ events }: History): boolean =>
  events!.some(
    ({ workflowTaskFailedEventAttributes: failed }) => failed != null && Number(failed.startedEventId ?? 0) === 0,
  );
