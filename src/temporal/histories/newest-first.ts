import { cartWorkflowId } from '../../contract/ids';
import { isId } from '../../domain/fields';
import { listArchived, readArchivedHistory } from '../../postgres/archive';
import { decisiveEventsOf, fetchDecisiveEvents } from './decisive-events';
import type { HistorySource } from './histories';
import { type History, originOf, startOf } from './runs';

/**
 * The histories of a cart's runs, the newest first, each fetched when it is asked for; most carts need one only.
 * First those that the newest run names, directly or through others: the runs that it continues and those that it was
 * reset from. Then the rest, of which Temporal's list may lag behind.
 */
export async function* newestFirst(
  { client, db }: HistorySource,
  userId: string,
  isSwept = false,
): AsyncGenerator<History> {
  if (!isId(userId)) throw new Error(`${JSON.stringify(userId)} is not a user id.`);
  const workflowId = cartWorkflowId(userId);
  const read = async (runId: string): Promise<History | undefined> => {
    const history = await fetchDecisiveEvents(client, workflowId, runId);
    if (history !== undefined) return history;
    const archived = await readArchivedHistory(db, runId);
    return archived && decisiveEventsOf(archived);
  };
  const seen = new Set<string>();
  const named: (string | undefined)[] = [];
  let history = await fetchDecisiveEvents(client, workflowId);
  while (history !== undefined) {
    yield history;
    const { runId, baseRunId } = originOf(history);
    seen.add(runId);
    named.push(startOf(history).previousRunId, baseRunId);
    history = undefined;
    while (history === undefined && named.length > 0) {
      const next = named.pop();
      if (next === undefined || seen.has(next)) continue;
      seen.add(next);
      history = await read(next);
    }
  }
  const others = new Map((await listArchived(db, userId)).map(({ runId, startedAt }) => [runId, startedAt]));
  if (!isSwept) {
    for await (const { runId, startTime } of client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
      others.set(runId, startTime.toISOString());
    }
  }
  for (const [runId] of [...others].sort(([, a], [, b]) => (a < b ? 1 : -1))) {
    const other = seen.has(runId) ? undefined : await read(runId);
    if (other !== undefined) yield other;
  }
}
