import { type Client, isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { Reader } from 'protobufjs';

// For the whole process: what a server newer than this SDK puts into a history is kept, though it cannot be named here.
Reader.discardUnknown = false;

export type History = temporal.api.history.v1.IHistory;
type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** How a run began. */
export interface RunStart {
  /** The run that continued as this one; a chain's first run has none. */
  readonly previousRunId: string | undefined;
  readonly startedAt: string;
}

/** The whole history of a run, or of the newest one, as Temporal has it now; undefined where it has none. */
export function fetchHistory(client: Client, workflowId: string, runId?: string): Promise<History | undefined> {
  return undefinedIfMissing(client.workflow.getHandle(workflowId, runId).fetchHistory());
}

/** How a run in Temporal began; undefined where Temporal does not have it. */
export async function fetchStart(client: Client, workflowId: string, runId: string): Promise<RunStart | undefined> {
  const request = {
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  };
  const page = await undefinedIfMissing(client.workflowService.getWorkflowExecutionHistory(request));
  return page?.history ? startOf(page.history) : undefined;
}

/** The newest run of a workflow, and whether it is closed; undefined where Temporal has none. */
export async function fetchNewest(client: Client, workflowId: string) {
  const newest = await undefinedIfMissing(client.workflow.getHandle(workflowId).describe());
  return newest && { runId: newest.runId, isClosed: newest.status.name !== 'RUNNING' };
}

/** How a run began, told by its first event. */
export function startOf({ events }: History): RunStart {
  const first = events![0]!;
  const { continuedExecutionRunId } = first.workflowExecutionStartedEventAttributes ?? {};
  return { startedAt: instantOf(first), previousRunId: continuedExecutionRunId || undefined };
}

/**
 * The id of the run, and of the run that it was reset from, if it was. A reset run begins with a copy of that one's events, up
 * to and with its first event, and names both where the copy ends.
 */
export function originOf({ events }: History): { readonly runId: string; readonly baseRunId: string | undefined } {
  const reset = events!.findLast(({ workflowTaskFailedEventAttributes: failed }) => failed?.newRunId);
  const { newRunId, baseRunId } = reset?.workflowTaskFailedEventAttributes ?? {};
  const { originalExecutionRunId } = events![0]!.workflowExecutionStartedEventAttributes ?? {};
  return { runId: newRunId || originalExecutionRunId!, baseRunId: baseRunId || undefined };
}

const endings = /^workflowExecution(ContinuedAsNew|Completed|Failed|TimedOut|Canceled|Terminated)EventAttributes$/;

/** When and how a run ended, told by its last event; undefined while it runs. */
export function endOf({ events }: History): { closedAt: string; closedAs: string } | undefined {
  const last = events!.at(-1)!;
  const ending = Object.entries(last).find(([field, value]) => value != null && endings.test(field));
  return ending && { closedAt: instantOf(last), closedAs: endings.exec(ending[0])![1]! };
}

function instantOf({ eventTime }: HistoryEvent): string {
  return new Date(Number(eventTime?.seconds ?? 0) * 1_000 + Math.floor((eventTime?.nanos ?? 0) / 1e6)).toISOString();
}

const notFound = 5;

/** What was asked for; undefined where Temporal says that there is none. */
export async function undefinedIfMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || (isGrpcServiceError(error) && error.code === notFound))
      return undefined;
    throw error;
  }
}
