import { projectCartActivity } from '../../contract/activities';
import { cartWorkflowId } from '../../contract/ids';
import { isId } from '../../domain/fields';
import type { RecordedDecision } from '../../domain/handle';
import { listArchived, readArchivedHistory } from '../../postgres/archive';
import { payloadConverter } from '../payload-converter';
import { decisiveEventsOf, fetchDecisiveEvents } from './decisive-events';
import type { HistorySource } from './histories';
import { type History, startOf } from './runs';

interface ReadOptions {
  /** Returns only decisions with a greater sequence. Older runs are then not read at all. */
  readonly after?: number;
  /** A sweep has just archived all ended runs, so Temporal's list of runs is not needed. */
  readonly isSwept?: boolean;
}

/**
 * Reads the decisions that a run passed to its projection, in order of sequence, each once.
 * @throws Error that names the event, if its payload has no decisions.
 */
export function decisionsIn(history: History): RecordedDecision[] {
  const decisions = new Map<number, RecordedDecision>();
  for (const { eventId, activityTaskScheduledEventAttributes: scheduled } of history.events ?? []) {
    if (scheduled?.activityType?.name !== projectCartActivity) continue;
    const payload = scheduled.input?.payloads?.[0];
    const input = payload && payloadConverter.fromPayload<{ decisions?: RecordedDecision[] }>(payload);
    if (!Array.isArray(input?.decisions)) throw new Error(`Event ${eventId} of the history has no readable decisions.`);
    for (const decision of input.decisions) decisions.set(decision.sequence, decision);
  }
  return inOrder(decisions);
}

/**
 * Reads all decisions of a cart that are still in a history, in order of sequence, each once. Two runs can have the
 * same sequence, if the older run was terminated before Postgres had its last decisions. The newer run then counts.
 */
export async function readDecisions(
  source: HistorySource,
  userId: string,
  { after = 0, isSwept = false }: ReadOptions = {},
): Promise<RecordedDecision[]> {
  const decisions = new Map<number, RecordedDecision>();
  for await (const history of newestFirst(source, userId, isSwept)) {
    const decisionsOfRun = decisionsIn(history);
    for (const decision of decisionsOfRun) {
      if (decision.sequence > after && !decisions.has(decision.sequence)) decisions.set(decision.sequence, decision);
    }
    const [first] = decisionsOfRun;
    if (first !== undefined && first.sequence <= after + 1) break;
  }
  return inOrder(decisions);
}

const inOrder = (decisions: ReadonlyMap<number, RecordedDecision>): RecordedDecision[] =>
  [...decisions.values()].sort((a, b) => a.sequence - b.sequence);

/**
 * Reads the histories of a cart's runs, newest first, each only when it is needed: for most carts one is enough. First
 * come the runs of the newest chain, found by their links, so none is missed. Then come the runs of older chains, found
 * in Temporal's list, in which the latest runs can be missing for a moment.
 */
async function* newestFirst({ client, db }: HistorySource, userId: string, isSwept: boolean): AsyncGenerator<History> {
  if (!isId(userId)) throw new Error(`${JSON.stringify(userId)} is not a user id.`);
  const workflowId = cartWorkflowId(userId);
  const read = async (runId: string): Promise<History | undefined> => {
    const history = await fetchDecisiveEvents(client, workflowId, runId);
    if (history !== undefined) return history;
    const archived = await readArchivedHistory(db, runId);
    return archived && decisiveEventsOf(archived);
  };
  const chain = new Set<string>();
  let history = await fetchDecisiveEvents(client, workflowId);
  while (history !== undefined) {
    yield history;
    const { previousRunId } = startOf(history);
    if (previousRunId === undefined) break;
    chain.add(previousRunId);
    history = await read(previousRunId);
  }
  const others = new Map((await listArchived(db, userId)).map(({ runId, startedAt }) => [runId, startedAt]));
  if (!isSwept) {
    for await (const { runId, startTime } of client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
      others.set(runId, startTime.toISOString());
    }
  }
  for (const [runId] of [...others].sort(([, a], [, b]) => (a < b ? 1 : -1))) {
    const older = chain.has(runId) ? undefined : await read(runId);
    if (older !== undefined) yield older;
  }
}
