import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import type { Knex } from 'knex';
import { isId } from '../domain/commands';
import type { RecordedDecision } from '../domain/handle';
import { type ArchivedRun, archive, findArchived, listArchivedUsers, readArchived } from '../postgres/archive';
import { cartWorkflowId, userIdOf } from './ids';
import { payloadConverter } from './payload-converter';

type History = temporal.api.history.v1.IHistory;
type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** Where histories are: Temporal, as long as it keeps them, and the archive in Postgres. */
export interface HistorySource {
  readonly client: Client;
  readonly db: Knex;
}

/** One run of a cart's workflow. */
export interface CartRun {
  readonly runId: string;
  readonly previousRunId: string | undefined;
  readonly startedAt: string;
  readonly isClosed: boolean;
  readonly source: 'temporal' | 'archive';
  readonly history: History;
}

/** The decisions a run handed to its projection, in order of sequence, each once. */
export function decisionsIn(history: History): RecordedDecision[] {
  const decisions = new Map<number, RecordedDecision>();
  for (const { activityTaskScheduledEventAttributes: scheduled } of history.events ?? []) {
    if (scheduled?.activityType?.name !== 'projectCart') continue;
    const payload = scheduled.input?.payloads?.[0];
    if (!payload) continue;
    const input = payloadConverter.fromPayload<{ decisions: RecordedDecision[] }>(payload);
    for (const decision of input.decisions) decisions.set(decision.sequence, decision);
  }
  return [...decisions.values()].sort((a, b) => a.sequence - b.sequence);
}

/** All decisions of a cart that a history still tells, in order of sequence, each once. */
export async function readDecisions(source: HistorySource, userId: string): Promise<RecordedDecision[]> {
  const decisions = new Map<number, RecordedDecision>();
  for (const { history } of await readRuns(source, userId)) {
    for (const decision of decisionsIn(history)) decisions.set(decision.sequence, decision);
  }
  return [...decisions.values()].sort((a, b) => a.sequence - b.sequence);
}

/** All runs of a cart that Temporal or the archive has, oldest first. */
export async function readRuns({ client, db }: HistorySource, userId: string): Promise<CartRun[]> {
  const runs = new Map<string, CartRun>();
  for (const run of await readArchived(db, userId)) {
    const history = temporal.api.history.v1.History.decode(run.history);
    runs.set(run.runId, { ...run, isClosed: true, source: 'archive', history });
  }
  const add = async (runId: string | undefined): Promise<CartRun | undefined> => {
    const run = await fetchRun(client, cartWorkflowId(userId), runId);
    if (run !== undefined) runs.set(run.runId, run);
    return run;
  };
  // The chain of runs is exact; the list, which also knows chains that ended, may lag behind.
  let next = await add(undefined);
  while (next?.previousRunId !== undefined && !runs.has(next.previousRunId)) next = await add(next.previousRunId);
  for (const runId of await listRunIds(client, userId)) if (!runs.has(runId)) await add(runId);
  return [...runs.values()].sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
}

async function listRunIds(client: Client, userId: string): Promise<string[]> {
  if (!isId(userId)) throw new Error(`${JSON.stringify(userId)} is not a user's id.`);
  const runIds: string[] = [];
  for await (const run of client.workflow.list({ query: `WorkflowId = '${cartWorkflowId(userId)}'` }))
    runIds.push(run.runId);
  return runIds;
}

/** One run as Temporal has it; the newest one without `runId`; undefined where Temporal has none. */
async function fetchRun(client: Client, workflowId: string, runId: string | undefined): Promise<CartRun | undefined> {
  try {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    const started = history.events?.[0];
    const attributes = started?.workflowExecutionStartedEventAttributes;
    if (!started || !attributes) return undefined;
    return {
      runId: runId ?? attributes.originalExecutionRunId!,
      previousRunId: attributes.continuedExecutionRunId || undefined,
      startedAt: instantOf(started),
      isClosed: endOf(history.events!.at(-1)!) !== undefined,
      source: 'temporal',
      history,
    };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** The users that have a cart in Temporal or in the archive, each once. */
export async function* listUsers({ client, db }: HistorySource): AsyncGenerator<string> {
  const seen = new Set<string>();
  for await (const run of client.workflow.list({ query: "WorkflowType = 'cartWorkflow'" })) {
    const userId = userIdOf(run.workflowId);
    if (seen.has(userId)) continue;
    seen.add(userId);
    yield userId;
  }
  for (let after = ''; ; ) {
    const users = await listArchivedUsers(db, after, 1_000);
    for (const userId of users) if (!seen.has(userId)) yield userId;
    if (users.length === 0) return;
    after = users.at(-1)!;
  }
}

/**
 * Keeps a closed run in the archive, as Temporal stored it. A run that Temporal does not have any more cannot be kept.
 * @returns whether it is new in the archive. @throws Error where the run has not ended.
 */
export async function archiveRun({ client, db }: HistorySource, workflowId: string, runId: string): Promise<boolean> {
  if ((await findArchived(db, [runId])).has(runId)) return false;
  const run = await fetchRun(client, workflowId, runId);
  if (run === undefined) return false;
  const events = run.history.events!;
  const last = events.at(-1)!;
  const closedAs = endOf(last);
  if (closedAs === undefined) throw new Error(`Run ${runId} of ${workflowId} has not ended.`);
  const archived: ArchivedRun = {
    userId: userIdOf(workflowId),
    workflowId,
    runId,
    previousRunId: run.previousRunId,
    startedAt: run.startedAt,
    closedAt: instantOf(last),
    closedAs,
    eventCount: events.length,
    history: temporal.api.history.v1.History.encode(run.history).finish(),
  };
  return archive(db, archived);
}

/** Archives all closed runs that are not in the archive yet. @returns how many those were. */
export async function sweepClosedRuns(source: HistorySource): Promise<number> {
  const query = "WorkflowType = 'cartWorkflow' and ExecutionStatus != 'Running'";
  let archived = 0;
  for await (const { workflowId, runId } of source.client.workflow.list({ query })) {
    if (await archiveRun(source, workflowId, runId)) archived += 1;
  }
  return archived;
}

const endings = /^workflowExecution(ContinuedAsNew|Completed|Failed|TimedOut|Canceled|Terminated)EventAttributes$/;

/** How a run ended, told by its last event; undefined while it runs. */
function endOf(last: HistoryEvent): string | undefined {
  const ending = Object.entries(last).find(([field, value]) => value != null && endings.test(field));
  return ending && endings.exec(ending[0])![1];
}

function instantOf({ eventTime }: HistoryEvent): string {
  return new Date(Number(eventTime?.seconds ?? 0) * 1_000 + Math.floor((eventTime?.nanos ?? 0) / 1e6)).toISOString();
}
