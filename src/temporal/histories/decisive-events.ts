import { type Client, Connection } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { Reader } from 'protobufjs';
import { fetchHistory, type History, undefinedIfMissing } from './runs';

const { HistoryEvent } = temporal.api.history.v1;
const { GetWorkflowExecutionHistoryRequest } = temporal.api.workflowservice.v1;
const { EventType } = temporal.api.enums.v1;

/** The events that say where a run began, what it decided, what became of that, and that it ended. */
const decisiveTypes: ReadonlySet<number | undefined> = new Set([
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
  EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
  EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
  // Where a run was reset, this one names the run that it was reset from.
  EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
]);

/** Tags of Temporal's messages: which field it is, and how it is written. */
const tags = { responseHistory: 10, responseNextPageToken: 26, historyEvent: 10, eventType: 24 };

/**
 * Of the history of a run, or of the newest one, the events that tell where it began and what it had done. The rest, signals
 * above all, is most of it; healing reads every history there is, and leaves that part undecoded.
 * @returns at least those events; undefined where Temporal has no such run.
 */
export async function fetchDecisiveEvents(
  client: Client,
  workflowId: string,
  runId?: string,
): Promise<History | undefined> {
  // A worker's connection has decoded what it gives.
  if (!(client.connection instanceof Connection)) return fetchHistory(client, workflowId, runId);
  const { namespace } = client.options;
  const events: temporal.api.history.v1.IHistoryEvent[] = [];
  for (let nextPageToken: Uint8Array | undefined; ; ) {
    const request = {
      namespace,
      execution: { workflowId, runId: runId ?? null },
      nextPageToken: nextPageToken ?? null,
    };
    const page = await undefinedIfMissing(askForHistory(client, request));
    if (page === undefined) return undefined;
    nextPageToken = undefined;
    for (const reader = Reader.create(page); reader.pos < reader.len; ) {
      const tag = reader.uint32();
      if (tag === tags.responseHistory) events.push(...decisiveEventsIn(reader.bytes()));
      else if (tag === tags.responseNextPageToken) nextPageToken = reader.bytes();
      else reader.skipType(tag & 7);
    }
    if (!nextPageToken?.length) return { events };
  }
}

/** The same of a history as the archive keeps it. */
export const decisiveEventsOf = (history: Uint8Array): History => ({ events: decisiveEventsIn(history) });

function decisiveEventsIn(history: Uint8Array): temporal.api.history.v1.IHistoryEvent[] {
  const events: temporal.api.history.v1.IHistoryEvent[] = [];
  for (const reader = Reader.create(history); reader.pos < reader.len; ) {
    const tag = reader.uint32();
    if (tag !== tags.historyEvent) {
      reader.skipType(tag & 7);
      continue;
    }
    const event = reader.bytes();
    if (decisiveTypes.has(typeOf(event))) events.push(HistoryEvent.decode(event));
  }
  return events;
}

function typeOf(event: Uint8Array): number | undefined {
  for (const reader = Reader.create(event); reader.pos < reader.len; ) {
    const tag = reader.uint32();
    if (tag === tags.eventType) return reader.int32();
    reader.skipType(tag & 7);
  }
  return undefined;
}

/** Asks as the SDK does, but for the answer as it came. */
function askForHistory(
  { connection, workflowService, options: { namespace } }: Client,
  request: temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryRequest,
): Promise<Uint8Array> {
  const bytes = GetWorkflowExecutionHistoryRequest.encode(request).finish();
  return connection.withMetadata(
    { 'temporal-namespace': namespace },
    () =>
      new Promise((resolve, reject) => {
        workflowService.rpcImpl!({ name: 'GetWorkflowExecutionHistory' } as never, bytes, (error, answer) =>
          error ? reject(error) : resolve(answer!),
        );
      }),
  );
}
