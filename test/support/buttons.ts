import { randomUUID } from 'node:crypto';
import { temporal } from '@temporalio/proto';
import type { Knex } from 'knex';
import { cartWorkflowId } from '../../src/contract/ids';
import type { World } from './world';

/** What people press in Temporal's Web UI: the buttons for the newest run of a user's cart. */
export function buttonsOf({ client, namespace }: Pick<World, 'client' | 'namespace'>, userId: string) {
  const workflowId = cartWorkflowId(userId);
  const handle = () => client.workflow.getHandle(workflowId);
  return {
    handle,
    terminate: () => handle().terminate('pressed in the Web UI'),
    /** The ids of the events that end workflow tasks: those that the run can be reset to. */
    async tasks(): Promise<number[]> {
      const { events } = await handle().fetchHistory();
      return events!
        .filter((event) => event.workflowTaskCompletedEventAttributes)
        .map(({ eventId }) => Number(eventId));
    },
    /** @param withSignals whether the signals after that task are sent to the new run again. */
    async reset(workflowTaskFinishEventId: number, withSignals = true): Promise<void> {
      const { runId } = await handle().describe();
      const { RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL: signals } = temporal.api.enums.v1.ResetReapplyExcludeType;
      await client.workflowService.resetWorkflowExecution({
        namespace,
        workflowExecution: { workflowId, runId },
        reason: 'pressed in the Web UI',
        requestId: randomUUID(),
        workflowTaskFinishEventId: workflowTaskFinishEventId as never,
        ...(withSignals ? {} : { resetReapplyExcludeTypes: [signals] }),
      });
    },
    /** The number of the run's events of a kind, by the name of their attributes. */
    async count(attributes: string): Promise<number> {
      const { events } = await handle().fetchHistory();
      return events!.filter((event) => (event as Record<string, unknown>)[attributes] != null).length;
    },
  };
}

/** Locks a cart's row as a transaction that does not end. @returns a function that unlocks it. */
export async function lockCart(db: Knex, userId: string): Promise<() => Promise<void>> {
  const trx = await db.transaction();
  await trx('carts').where({ user_id: userId }).forUpdate();
  return async () => {
    await trx.rollback();
  };
}
