import { type Client, isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { Reader } from 'protobufjs';

// A setting for the whole process: histories keep the fields that a newer server adds and this SDK does not know.
Reader.discardUnknown = false;

export type History = temporal.api.history.v1.IHistory;
export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** When a run started, and after which run. */
export interface RunStart {
  /** The previous run of the chain; undefined for the first run. */
  readonly previousRunId: string | undefined;
  readonly startedAt: string;
}

/** Fetches the complete history of a run, by default the newest one. Returns undefined if Temporal does not have it. */
export function fetchHistory(client: Client, workflowId: string, runId?: string): Promise<History | undefined> {
  return undefinedIfMissing(client.workflow.getHandle(workflowId, runId).fetchHistory());
}

/** Fetches the start of a run. Returns undefined if Temporal does not have the run. */
export async function fetchStart(client: Client, workflowId: string, runId: string): Promise<RunStart | undefined> {
  const request = {
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  };
  const page = await undefinedIfMissing(client.workflowService.getWorkflowExecutionHistory(request));
  return page?.history ? startOf(page.history) : undefined;
}

/** Fetches the newest run of a workflow. Returns undefined if Temporal has none. */
export async function fetchNewest(client: Client, workflowId: string) {
  const newest = await undefinedIfMissing(client.workflow.getHandle(workflowId).describe());
  return newest && { runId: newest.runId, isClosed: newest.status.name !== 'RUNNING' };
}

/** Reads the start of a run from its first event. */
export function startOf({ events }: History): RunStart {
  const first = events![0]!;
  const { continuedExecutionRunId } = first.workflowExecutionStartedEventAttributes ?? {};
  return { startedAt: instantOf(first), previousRunId: continuedExecutionRunId || undefined };
}

/**
 * The id of the run, and of the run that it was reset from, if it was. A reset run begins with a copy of that one's
 * events, up to and with its first event, and names both where the copy ends.
 */
export function originOf({ events }: History): { readonly runId: string; readonly baseRunId: string | undefined } {
  const reset = events!.findLast(({ workflowTaskFailedEventAttributes: failed }) => failed?.newRunId);
  const { newRunId, baseRunId } = reset?.workflowTaskFailedEventAttributes ?? {};
  const { originalExecutionRunId } = events![0]!.workflowExecutionStartedEventAttributes ?? {};
  return { runId: newRunId || originalExecutionRunId!, baseRunId: baseRunId || undefined };
}

const endings = /^workflowExecution(ContinuedAsNew|Completed|Failed|TimedOut|Canceled|Terminated)EventAttributes$/;

/** Reads the end of a run from its last event. Returns undefined if the run has not ended. */
export function endOf({ events }: History): { closedAt: string; closedAs: string } | undefined {
  const last = events!.at(-1)!;
  const ending = Object.entries(last).find(([field, value]) => value != null && endings.test(field));
  return ending && { closedAt: instantOf(last), closedAs: endings.exec(ending[0])![1]! };
}

export function instantOf({ eventTime }: HistoryEvent): string {
  return new Date(Number(eventTime?.seconds ?? 0) * 1_000 + Math.floor((eventTime?.nanos ?? 0) / 1e6)).toISOString();
}

const notFound = 5;

/** Awaits a request to Temporal. Returns undefined if Temporal answers that what was requested does not exist. */
export async function undefinedIfMissing<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || (isGrpcServiceError(error) && error.code === notFound))
      return undefined;
    throw error;
  }
}
