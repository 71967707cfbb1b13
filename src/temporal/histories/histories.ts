import type { Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import type { Knex } from 'knex';
import { cartWorkflowId, isCartWorkflowId, userIdOf } from '../../contract/ids';
import { cartWorkflowType } from '../../contract/workflow';
import { isId } from '../../domain/fields';
import { listArchived, listArchivedUsers, readArchivedHistory } from '../../postgres/archive';
import { fetchHistory, fetchNewest, fetchStart, type History, type RunStart } from './runs';

const { History: HistoryMessage } = temporal.api.history.v1;

/** Where histories are: Temporal, until the retention period ends, and the archive in Postgres. */
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

/** Reads all runs of a cart that Temporal or the archive has, oldest first. Each has a few megabytes at most. */
export async function readRuns(source: HistorySource, userId: string): Promise<CartRun[]> {
  const runs: CartRun[] = [];
  for (const info of await listRuns(source, userId)) {
    const run = await readRun(source, userId, info);
    if (run !== undefined) runs.push(run);
  }
  return runs;
}

/** Lists the runs of a cart that Temporal or the archive has, oldest first. */
export async function listRuns({ client, db }: HistorySource, userId: string): Promise<RunInfo[]> {
  if (!isId(userId)) throw new Error(`${JSON.stringify(userId)} is not a user id.`);
  const workflowId = cartWorkflowId(userId);
  const runs = new Map<string, RunInfo>();
  for (const { runId, previousRunId, startedAt } of await listArchived(db, userId)) {
    runs.set(runId, { runId, previousRunId, startedAt, isClosed: true, source: 'archive' });
  }
  const newest = await fetchNewest(client, workflowId);
  const addFromTemporal = async (runId: string): Promise<RunInfo | undefined> => {
    const start = await fetchStart(client, workflowId, runId);
    const isClosed = runId !== newest?.runId || newest.isClosed;
    if (start !== undefined) runs.set(runId, { runId, ...start, isClosed, source: 'temporal' });
    return runs.get(runId);
  };
  // The links of the newest chain are complete. The list also has older chains, but it can be out of date.
  let next = newest?.runId;
  while (next !== undefined) {
    const run = await addFromTemporal(next);
    next = run?.previousRunId;
  }
  for await (const { runId } of client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
    if (runs.get(runId)?.source !== 'temporal') await addFromTemporal(runId);
  }
  return [...runs.values()].sort(byStart);
}

/** A run that was reset has the start of the run that it was reset from, which has ended. */
const byStart = (a: RunInfo, b: RunInfo): number =>
  a.startedAt === b.startedAt ? Number(b.isClosed) - Number(a.isClosed) : a.startedAt < b.startedAt ? -1 : 1;

/** Reads the history of a listed run. Returns undefined if neither Temporal nor the archive has it any more. */
export async function readRun(source: HistorySource, userId: string, info: RunInfo): Promise<CartRun | undefined> {
  if (info.source === 'temporal') {
    const history = await fetchHistory(source.client, cartWorkflowId(userId), info.runId);
    if (history !== undefined) return { ...info, history };
  }
  const history = await readArchived(source, info.runId);
  return history && { ...info, isClosed: true, source: 'archive', history };
}

/** Reads the history of a run. Returns undefined if neither Temporal nor the archive has it. */
export async function readHistory(source: HistorySource, userId: string, runId: string): Promise<History | undefined> {
  return (await fetchHistory(source.client, cartWorkflowId(userId), runId)) ?? readArchived(source, runId);
}

async function readArchived({ db }: HistorySource, runId: string): Promise<History | undefined> {
  const archived = await readArchivedHistory(db, runId);
  return archived && HistoryMessage.decode(archived);
}

/** Lists the users that have a cart in Temporal or in the archive, each once. */
export async function* listUsers({ client, db }: HistorySource): AsyncGenerator<string> {
  const seen = new Set<string>();
  for await (const { workflowId } of client.workflow.list({ query: `WorkflowType = '${cartWorkflowType}'` })) {
    const userId = userIdOf(workflowId);
    if (seen.has(userId) || !isCartWorkflowId(workflowId)) continue;
    seen.add(userId);
    yield userId;
  }
  let after: string | undefined = '';
  while (after !== undefined) {
    const users: string[] = await listArchivedUsers(db, after, 1_000);
    for (const userId of users) if (!seen.has(userId)) yield userId;
    after = users.at(-1);
  }
}
