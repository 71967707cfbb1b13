import type { Client } from '@temporalio/client';
import { isCartWorkflowId } from '../../contract/ids';

export interface ListedRun {
  readonly workflowId: string;
  readonly runId: string;
  /** Undefined while the run is open. */
  readonly closeTime: Date | undefined;
  readonly isKnown: boolean;
}

const pageSize = 200;

/**
 * Lists the runs of carts that match the query.
 * @param findKnown returns those of these run ids that are known. It is asked once for many runs.
 */
export async function* listRuns(
  client: Client,
  query: string,
  findKnown: (runIds: readonly string[]) => Promise<ReadonlySet<string>>,
): AsyncGenerator<ListedRun> {
  let page: Omit<ListedRun, 'isKnown'>[] = [];
  const compared = async () => {
    const known = await findKnown(page.map(({ runId }) => runId));
    return page.map((run) => ({ ...run, isKnown: known.has(run.runId) }));
  };
  for await (const { workflowId, runId, closeTime } of client.workflow.list({ query })) {
    if (!isCartWorkflowId(workflowId)) continue;
    page.push({ workflowId, runId, closeTime });
    if (page.length < pageSize) continue;
    yield* await compared();
    page = [];
  }
  yield* await compared();
}
