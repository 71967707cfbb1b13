import { log } from '@temporalio/activity';
import { archiveRun } from '../src/temporal/histories/archive-runs';
import type { HistorySource } from '../src/temporal/histories/histories';

/** Keeps a closed run of a cart for good, as Temporal stored it, before the namespace's retention forgets it. */
export const createArchiveRun =
  (source: HistorySource) =>
  async ({ workflowId, runId }: { readonly workflowId: string; readonly runId: string }): Promise<void> => {
    const outcome = await archiveRun(source, workflowId, runId);
    if (outcome === 'forgotten') {
      log.warn('Temporal forgot this closed run before it could be archived', {
        archivedWorkflowId: workflowId,
        runId,
      });
    }
  };
