import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineUpdate,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { change, type LineCommand } from './tutorial';
import type { WriteItemActivities } from './write-item';

const { writeItem } = proxyActivities<WriteItemActivities>({ startToCloseTimeout: '10s' });

/** The cart with updates: each update changes the cart, projects the change and returns the cart. */
export async function updateWorkflow(userId: string, carried: Record<string, number> = {}): Promise<void> {
  const items = new Map(Object.entries(carried));
  setHandler(defineUpdate<Record<string, number>, [LineCommand]>('command'), async (command) => {
    await writeItem(userId, command.productId, change(items, command));
    return Object.fromEntries(items);
  });
  await condition(() => workflowInfo().continueAsNewSuggested);
  await condition(allHandlersFinished);
  await continueAsNew<typeof updateWorkflow>(userId, Object.fromEntries(items));
}
