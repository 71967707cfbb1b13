import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import type { Random } from '../random';

/** To which of a run's workflow tasks it is reset. */
export type ResetPoint = 'first' | 'last' | 'random';

/** Resets the newest run of a workflow, as the Web UI does it. @throws Error where it has no task to be reset to. */
export async function resetRun(client: Client, workflowId: string, point: ResetPoint, random: Random): Promise<void> {
  const { runId } = await client.workflow.getHandle(workflowId).describe();
  const tasks = await completedTasks(client, workflowId, runId);
  const chosen =
    point === 'first' ? tasks[0] : point === 'last' ? tasks.at(-1) : tasks[random.int(0, tasks.length - 1)];
  if (chosen === undefined) throw new Error(`${workflowId} has no completed workflow task`);
  await client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId, runId },
    reason: 'by hand',
    requestId: randomUUID(),
    workflowTaskFinishEventId: chosen,
  });
}

type EventId = NonNullable<temporal.api.history.v1.IHistoryEvent['eventId']>;

async function completedTasks(client: Client, workflowId: string, runId: string): Promise<EventId[]> {
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const { EVENT_TYPE_WORKFLOW_TASK_COMPLETED } = temporal.api.enums.v1.EventType;
  const completed = (events ?? []).filter(({ eventType }) => eventType === EVENT_TYPE_WORKFLOW_TASK_COMPLETED);
  return completed.map(({ eventId }) => eventId!);
}
