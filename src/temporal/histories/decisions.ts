import { projectCartActivity } from '../../contract/activities';
import { cartWorkflowId } from '../../contract/ids';
import { isId } from '../../domain/fields';
import type { RecordedDecision } from '../../domain/handle';
import { listArchived, readArchivedHistory } from '../../postgres/archive';
import { payloadConverter } from '../payload-converter';
import { decisiveEventsOf, fetchDecisiveEvents } from './decisive-events';
import type { HistorySource } from './histories';
import { type History, startOf } from './runs';

/** What to read. `isSwept`: a sweep has just put all ended runs into the archive, so Temporal need not be asked for them. */
interface ReadOptions {
  /** Only decisions of a later sequence; runs that are older are then not read at all. */
  readonly after?: number;
  readonly isSwept?: boolean;
}

/**
 * The decisions a run handed to its projection, in order of sequence, each once.
 * @throws Error naming the event whose payload is not one of ours.
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
 * The decisions of a cart that a history still tells, in order of sequence, each once. Where two runs decided the same
 * sequence, as after a run was terminated before its last decisions reached Postgres, the newer run's counts.
 */
export async function readDecisions(
  source: HistorySource,
  userId: string,
  { after = 0, isSwept = false }: ReadOptions = {},
): Promise<RecordedDecision[]> {
  const decisions = new Map<number, RecordedDecision>();
  for await (const history of newestFirst(source, userId, isSwept)) {
    const own = decisionsIn(history);
    for (const decision of own) {
      if (decision.sequence > after && !decisions.has(decision.sequence)) decisions.set(decision.sequence, decision);
    }
    if (own[0] !== undefined && own[0].sequence <= after + 1) break;
  }
  return inOrder(decisions);
}

const inOrder = (decisions: ReadonlyMap<number, RecordedDecision>): RecordedDecision[] =>
  [...decisions.values()].sort((a, b) => a.sequence - b.sequence);

/**
 * The histories of a cart's runs, the newest first, each fetched when it is asked for; most carts need one only. First the
 * chain that ends with the newest run, which is exact; then the runs of chains that ended before it, of which the list may
 * lag behind.
 */
async function* newestFirst({ client, db }: HistorySource, userId: string, isSwept: boolean): AsyncGenerator<History> {
  if (!isId(userId)) throw new Error(`${JSON.stringify(userId)} is not a user's id.`);
  const workflowId = cartWorkflowId(userId);
  const read = async (runId: string): Promise<History | undefined> => {
    const history = await fetchDecisiveEvents(client, workflowId, runId);
    if (history !== undefined) return history;
    const kept = await readArchivedHistory(db, runId);
    return kept && decisiveEventsOf(kept);
  };
  const chain = new Set<string>();
  for (let history = await fetchDecisiveEvents(client, workflowId); history !== undefined; ) {
    yield history;
    const { previousRunId } = startOf(history);
    if (previousRunId !== undefined) chain.add(previousRunId);
    history = previousRunId === undefined ? undefined : await read(previousRunId);
  }
  const others = new Map((await listArchived(db, userId)).map(({ runId, startedAt }) => [runId, startedAt]));
  if (!isSwept) {
    for await (const { runId, startTime } of client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
      others.set(runId, startTime.toISOString());
    }
  }
  for (const [runId] of [...others].sort(([, a], [, b]) => (a < b ? 1 : -1))) {
    const history = chain.has(runId) ? undefined : await read(runId);
    if (history !== undefined) yield history;
  }
}
