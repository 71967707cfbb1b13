import type { Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import type { Knex } from 'knex';
import { cartWorkflowId, isCartWorkflowId, userIdOf } from '../../contract/ids';
import { cartWorkflowType } from '../../contract/workflow';
import { isId } from '../../domain/fields';
import { listArchived, listArchivedUsers, readArchivedHistory } from '../../postgres/archive';
import { fetchHistory, fetchNewest, fetchStart, type History, type RunStart } from './runs';

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
  for await (const { workflowId } of client.workflow.list({ query: `WorkflowType = '${cartWorkflowType}'` })) {
    const userId = userIdOf(workflowId);
    if (seen.has(userId) || !isCartWorkflowId(workflowId)) continue;
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
