import type { Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import type { Knex } from 'knex';
import { isId } from '../domain/commands';
import { archive, findArchived, listArchived, listArchivedUsers, readArchivedHistory } from '../postgres/archive';
import { cartWorkflowId, userIdOf } from './ids';
import { endOf, fetchHistory, fetchNewest, fetchStart, type History, type RunStart, startOf } from './runs';

const { History: HistoryMessage } = temporal.api.history.v1;

/** Where histories are: Temporal, as long as it keeps them, and the archive in Postgres. */
export interface HistorySource {
  readonly client: Client;
  readonly db: Knex;
}

/** One run of a cart's workflow. */
export interface RunInfo extends RunStart {
  readonly runId: string;
  readonly isClosed: boolean;
  readonly source: 'temporal' | 'archive';
}

/** One run of a cart's workflow with its history. */
export interface CartRun extends RunInfo {
  readonly history: History;
}

/** All runs of a cart that Temporal or the archive has, oldest first; each a few megabytes at most. */
export async function readRuns(source: HistorySource, userId: string): Promise<CartRun[]> {
  const runs: CartRun[] = [];
  for (const info of await listRuns(source, userId)) {
    const run = await readRun(source, userId, info);
    if (run !== undefined) runs.push(run);
  }
  return runs;
}

/** What runs a cart has in Temporal or the archive, oldest first. */
export async function listRuns({ client, db }: HistorySource, userId: string): Promise<RunInfo[]> {
  if (!isId(userId)) throw new Error(`${JSON.stringify(userId)} is not a user's id.`);
  const workflowId = cartWorkflowId(userId);
  const runs = new Map<string, RunInfo>();
  for (const { runId, previousRunId, startedAt } of await listArchived(db, userId)) {
    runs.set(runId, { runId, previousRunId, startedAt, isClosed: true, source: 'archive' });
  }
  const newest = await fetchNewest(client, workflowId);
  const find = async (runId: string): Promise<RunInfo | undefined> => {
    const start = await fetchStart(client, workflowId, runId);
    const isClosed = runId !== newest?.runId || newest.isClosed;
    if (start !== undefined) runs.set(runId, { runId, ...start, isClosed, source: 'temporal' });
    return runs.get(runId);
  };
  // The chain is exact. The list, which also knows chains that ended before, may lag behind.
  for (let runId = newest?.runId; runId !== undefined; ) runId = (await find(runId))?.previousRunId;
  for await (const { runId } of client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
    if (runs.get(runId)?.source !== 'temporal') await find(runId);
  }
  return [...runs.values()].sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
}

/** A listed run with its history; undefined where Temporal has forgotten it meanwhile and the archive does not have it. */
export async function readRun(
  { client, db }: HistorySource,
  userId: string,
  info: RunInfo,
): Promise<CartRun | undefined> {
  if (info.source === 'temporal') {
    const history = await fetchHistory(client, cartWorkflowId(userId), info.runId);
    if (history !== undefined) return { ...info, history };
  }
  const kept = await readArchivedHistory(db, info.runId);
  return kept && { ...info, isClosed: true, source: 'archive', history: HistoryMessage.decode(kept) };
}

/** The users that have a cart in Temporal or in the archive, each once. */
export async function* listUsers({ client, db }: HistorySource): AsyncGenerator<string> {
  const seen = new Set<string>();
  for await (const { workflowId } of client.workflow.list({ query: "WorkflowType = 'cartWorkflow'" })) {
    const userId = userIdOf(workflowId);
    if (seen.has(userId) || !isCart(workflowId)) continue;
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

const isCart = (workflowId: string): boolean => {
  const userId = userIdOf(workflowId);
  return isId(userId) && cartWorkflowId(userId) === workflowId;
};

/**
 * Keeps a closed run in the archive, as Temporal stored it. (What Temporal gives is the same each time but for the order of
 * the entries of maps, which its server shuffles; so two copies are compared by content, not by their bytes.)
 * @returns `known` where the archive has it already, `forgotten` where neither it nor Temporal has.
 * @throws Error where the run has not ended.
 */
export async function archiveRun(
  { client, db }: HistorySource,
  workflowId: string,
  runId: string,
): Promise<'new' | 'known' | 'forgotten'> {
  if ((await findArchived(db, [runId])).has(runId)) return 'known';
  const history = await fetchHistory(client, workflowId, runId);
  if (history === undefined) return 'forgotten';
  const end = endOf(history);
  if (end === undefined) throw new Error(`Run ${runId} of ${workflowId} has not ended.`);
  const userId = userIdOf(workflowId);
  const run = { userId, workflowId, runId, ...startOf(history), ...end, eventCount: history.events!.length };
  return (await archive(db, run, HistoryMessage.encode(history).finish())) ? 'new' : 'known';
}

/**
 * Archives all closed runs that are not in the archive yet, until told to stop. @returns how many those were.
 * @throws Error naming the runs that could not be archived, after all others were.
 */
export async function sweepClosedRuns(source: HistorySource, signal?: AbortSignal): Promise<number> {
  const query = "WorkflowType = 'cartWorkflow' and ExecutionStatus != 'Running'";
  const batch: { workflowId: string; runId: string }[] = [];
  const failures: string[] = [];
  let archived = 0;
  const archiveBatch = async () => {
    const runs = batch.splice(0);
    const known = await findArchived(
      source.db,
      runs.map((run) => run.runId),
    );
    for (const { workflowId, runId } of runs) {
      if (known.has(runId) || signal?.aborted) continue;
      const outcome = await archiveRun(source, workflowId, runId).catch((error: Error) => error);
      if (outcome === 'new') archived += 1;
      if (outcome instanceof Error) failures.push(`run ${runId} of ${workflowId}: ${outcome.message}`);
    }
  };
  for await (const { workflowId, runId } of source.client.workflow.list({ query })) {
    if (signal?.aborted) break;
    if (isCart(workflowId)) batch.push({ workflowId, runId });
    if (batch.length === 200) await archiveBatch();
  }
  await archiveBatch();
  if (failures.length > 0) {
    throw new Error(
      `${archived} closed runs were archived, and ${failures.length} could not be:\n${failures.join('\n')}`,
    );
  }
  return archived;
}
