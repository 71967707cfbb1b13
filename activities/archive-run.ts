import { log } from '@temporalio/activity';
import { archiveRun } from '../src/temporal/histories/archive-runs';
import type { HistorySource } from '../src/temporal/histories/histories';

/** Archives the history of a cart's closed run, before the retention period ends and Temporal deletes it. */
export const createArchiveRun =
  (source: HistorySource) =>
  async ({ workflowId, runId }: { readonly workflowId: string; readonly runId: string }): Promise<void> => {
    const outcome = await archiveRun(source, workflowId, runId);
    if (outcome === 'forgotten') {
      log.warn('Temporal deleted this closed run before it was archived', {
        archivedWorkflowId: workflowId,
        runId,
      });
    }
  };
