import { type Batch, projectCartActivity } from '../../contract/activities';
import { cartWorkflowId } from '../../contract/ids';
import { isId } from '../../domain/fields';
import { type DecisionRef, isSameDecision, type RecordedDecision, refOf } from '../../domain/handle';
import { listArchived, readArchivedHistory } from '../../postgres/archive';
import { payloadConverter } from '../payload-converter';
import { decisiveEventsOf, fetchDecisiveEvents } from './decisive-events';
import type { HistorySource } from './histories';
import { hasLeftBehind } from './received-commands';
import { endOf, type History, originOf, startOf } from './runs';

/** A decision as a run's history has it. */
export interface HistoryDecision {
  readonly decision: RecordedDecision;
  /**
   * `projected`: its projection has answered, so people may have seen it. `diverged`: the record went another way,
   * and the run decided its command again. `open`: neither is known.
   */
  readonly status: 'projected' | 'diverged' | 'open';
  /** The decision before it; null where there is none, absent where its run did not say. */
  readonly predecessor?: DecisionRef | null;
}

/**
 * The decisions that a run handed to its projection, in the order in which it first did.
 * @throws Error naming the event whose payload is not one of ours.
 */
export function decisionsIn(history: History): HistoryDecision[] {
  const batches = new Map<string, StoredBatch>();
  const found = new Map<string, HistoryDecision>();
  const note = ({ decisions, after }: StoredBatch, status: HistoryDecision['status']) => {
    for (const [index, decision] of decisions.entries()) {
      const predecessor = index === 0 ? after : refOf(decisions[index - 1]!);
      found.set(nameOf(decision), { decision, status, ...(predecessor === undefined ? {} : { predecessor }) });
    }
  };
  for (const event of history.events ?? []) {
    const { activityTaskScheduledEventAttributes: scheduled, activityTaskCompletedEventAttributes: completed } = event;
    if (scheduled?.activityType?.name === projectCartActivity) {
      const batch = decode<StoredBatch>(scheduled.input);
      if (!Array.isArray(batch?.decisions)) {
        throw new Error(`Event ${event.eventId} of the history has no readable decisions.`);
      }
      batches.set(String(event.eventId), batch);
      note(batch, 'open');
    }
    const batch = completed && batches.get(String(completed.scheduledEventId));
    if (batch) note(batch, statusOf(decode(completed.result)));
  }
  return [...found.values()];
}

type StoredBatch = Pick<Batch, 'decisions' | 'after'>;

/** Two decisions that different runs made at the same place have different names. */
export const nameOf = ({ sequence, command, runId, decidedAt }: RecordedDecision): string =>
  [sequence, command.commandId, runId, decidedAt].join(' ');

type Payloads = Parameters<typeof payloadConverter.fromPayload>[0][];

function decode<T>(payloads: { payloads?: Payloads | null } | null | undefined): T | undefined {
  const [payload] = payloads?.payloads ?? [];
  return payload && payloadConverter.fromPayload<T>(payload);
}

/** Projections that ran before there were answers answered nothing. */
function statusOf(result: unknown): HistoryDecision['status'] {
  if (result === undefined || result === null) return 'projected';
  const { outcome } = result as { outcome?: unknown };
  return outcome === 'projected' || outcome === 'diverged' ? outcome : 'open';
}

/**
 * What to read. `isSwept`: a sweep has just put all closed runs into the archive, so Temporal need not be asked for
 * them.
 */
interface ReadOptions {
  /** Only decisions of a later sequence. */
  readonly after?: number;
  /** Only decisions of an earlier sequence. */
  readonly before?: number;
  readonly isSwept?: boolean;
}

/**
 * The decisions that belong into a cart's record as far as histories have them, in order of sequence, each once:
 * those that were projected, and those of open runs that are still to be. Where two runs projected the same sequence,
 * as after an older backup of Postgres was restored, the newer run's counts. Runs are read only as far back as it
 * takes.
 */
export async function readDecisions(
  source: HistorySource,
  userId: string,
  { after = 0, before = Number.POSITIVE_INFINITY, isSwept = false }: ReadOptions = {},
): Promise<RecordedDecision[]> {
  const found = new Map<number, HistoryDecision>();
  for await (const history of newestFirst(source, userId, isSwept)) {
    const isOpen = endOf(history) === undefined;
    for (const each of decisionsIn(history)) {
      const { sequence } = each.decision;
      if (sequence <= after || sequence >= before) continue;
      if (each.status === 'diverged' || (each.status === 'open' && !isOpen)) continue;
      const other = found.get(sequence);
      if (other === undefined || (other.status === 'open' && each.status === 'projected')) found.set(sequence, each);
    }
    if (isSettled(found, after)) break;
  }
  return [...found.values()].map(({ decision }) => decision).sort((a, b) => a.sequence - b.sequence);
}

/** Whether older runs can add nothing: no sequence is missing in between, and each is known to be projected. */
function isSettled(found: ReadonlyMap<number, HistoryDecision>, after: number): boolean {
  const isGapFree = found.size > 0 && Math.max(...found.keys()) === after + found.size;
  return isGapFree && [...found.values()].every(({ status }) => status === 'projected');
}

/**
 * The decisions that follow on the record and were shown: their projection had answered, and Postgres has lost them
 * since, as after restoring an older backup. In order; none where the record has gone on without them.
 * @param last the last decision on record.
 */
export async function readShownAfter(
  source: HistorySource,
  userId: string,
  last: DecisionRef | undefined,
): Promise<RecordedDecision[]> {
  const shown: HistoryDecision[] = [];
  for await (const history of newestFirst(source, userId, false)) {
    const found = decisionsIn(history);
    shown.push(...found.filter(({ status }) => status === 'projected'));
    if (last !== undefined && found.some(({ decision }) => isSameDecision(refOf(decision), last))) break;
  }
  const following: RecordedDecision[] = [];
  for (let end = last; ; end = refOf(following.at(-1)!)) {
    const next = shown.find((each) => isDirectlyAfter(end, each));
    if (next === undefined) return following;
    following.push(next.decision);
  }
}

function isDirectlyAfter(end: DecisionRef | undefined, { decision, predecessor }: HistoryDecision): boolean {
  if (decision.sequence !== (end?.sequence ?? 0) + 1) return false;
  if (end === undefined || predecessor === undefined) return true;
  return predecessor !== null && isSameDecision(predecessor, end);
}

/** All that the histories have of a cart's decisions, branches that the record has left included. */
export interface HistoryRecord {
  readonly projected: readonly RecordedDecision[];
  /** Those of which it is not known, or known not, that they were projected. */
  readonly others: readonly RecordedDecision[];
  readonly runIds: ReadonlySet<string>;
  /** Whether any run ended without handing on what it had received. */
  readonly hasLeftRuns: boolean;
}

/** Decisions that were projected, where no history was read. */
export const asProjected = (decisions: readonly RecordedDecision[]): HistoryRecord => ({
  projected: decisions,
  others: [],
  runIds: new Set(),
  hasLeftRuns: false,
});

/** Reads every history of a cart. */
export async function readHistoryRecord(source: HistorySource, userId: string): Promise<HistoryRecord> {
  const projected = new Map<string, RecordedDecision>();
  const others = new Map<string, RecordedDecision>();
  const runIds = new Set<string>();
  let hasLeftRuns = false;
  for await (const history of newestFirst(source, userId, false)) {
    runIds.add(originOf(history).runId);
    hasLeftRuns ||= hasLeftBehind(history);
    for (const { decision, status } of decisionsIn(history)) {
      (status === 'projected' ? projected : others).set(nameOf(decision), decision);
    }
  }
  for (const name of projected.keys()) others.delete(name);
  return { projected: [...projected.values()], others: [...others.values()], runIds, hasLeftRuns };
}

/**
 * The histories of a cart's runs, the newest first, each fetched when it is asked for; most carts need one only.
 * First those that the newest run names, directly or through others: the runs that it continues and those that it was
 * reset from. Then the rest, of which Temporal's list may lag behind.
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
