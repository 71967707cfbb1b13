import { userIdOf } from '../contract/ids';
import { type DecisionRef, isSameDecision, refOf } from '../domain/handle';
import { decisionsIn } from '../temporal/histories/decisions';
import { type HistorySource, readHistory } from '../temporal/histories/histories';
import { originOf } from '../temporal/histories/runs';

/**
 * Ends a run that follows on a decision of its own which its history does not have: a worker had not given it all its
 * signals, so that it decided otherwise than its history is replayed now. Nothing that it decides can follow on the
 * record any more. What it has received is then delivered to the cart's next run. A run that was reset is not ended:
 * its replay gives the decisions of the run before another run id.
 * @returns whether it was ended.
 */
export async function endLostRun(
  source: HistorySource,
  { workflowId, runId }: { readonly workflowId: string; readonly runId: string },
  after: DecisionRef,
): Promise<boolean> {
  const history = await readHistory(source, userIdOf(workflowId), runId);
  if (history === undefined || originOf(history).baseRunId !== undefined) return false;
  if (decisionsIn(history).some(({ decision }) => isSameDecision(refOf(decision), after))) return false;
  const reason = `it follows on decision ${after.sequence} of its own, which its history does not have`;
  await source.client.workflow.getHandle(workflowId, runId).terminate(reason);
  return true;
}
