import { temporal } from '@temporalio/proto';
import { cartWorkflowId } from '../../src/contract/ids';
import { listArchived } from '../../src/postgres/archive';
import { listRuns } from '../../src/temporal/histories/histories';
import type { History } from '../../src/temporal/histories/runs';
import { until } from './until';
import type { World } from './world';

const { History: HistoryMessage } = temporal.api.history.v1;

/** A history as the server encodes it. */
export const bytesOf = (history: History) => Buffer.from(HistoryMessage.encode(history).finish());

export async function addPen(world: World, userId: string): Promise<void> {
  const path = `/carts/${encodeURIComponent(userId)}/items`;
  const answer = await world.request('POST', path, { productId: 'pen' }, { Prefer: 'wait=30' });
  expect(answer.status).toBe(200);
}

/** Sends commands until the cart is in its n-th run and every earlier run is archived. */
export async function continueAsNew(world: World, userId: string, runs: number): Promise<void> {
  await addPen(world, userId);
  await until(`run ${runs} has started`, async () => {
    await addPen(world, userId);
    return (await listRuns(world, userId)).length >= runs;
  });
  await until(
    'all runs but the newest are archived',
    async () => (await listArchived(world.db, userId)).length >= runs - 1,
  );
}

/** Deletes a run in Temporal, as the retention of its namespace does. */
export async function deleteRun(world: World, userId: string, runId: string): Promise<void> {
  const workflowExecution = { workflowId: cartWorkflowId(userId), runId };
  await world.client.workflowService.deleteWorkflowExecution({ namespace: world.namespace, workflowExecution });
  await until('the run is deleted', async () => {
    const handle = world.client.workflow.getHandle(cartWorkflowId(userId), runId);
    return handle.fetchHistory().then(
      () => false,
      () => true,
    );
  });
}
