import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { WriteItemActivities } from './write-item';

/** A command of the simple designs: it changes one line. */
export interface LineCommand {
  readonly productId: string;
  /** How much is added or, with `isAbsolute`, the new quantity; 0 removes the line. */
  readonly quantity: number;
  readonly isAbsolute: boolean;
}

const { writeItem } = proxyActivities<WriteItemActivities>({ startToCloseTimeout: '10s' });

/** The cart as tutorials show it: a signal handler changes it and runs an activity; reads are workflow queries. */
export async function tutorialWorkflow(userId: string, carried: Record<string, number> = {}): Promise<void> {
  const items = new Map(Object.entries(carried));
  setHandler(defineQuery('cart'), () => Object.fromEntries(items));
  setHandler(defineSignal<[LineCommand]>('command'), async (command) => {
    await writeItem(userId, command.productId, change(items, command));
  });
  await condition(() => workflowInfo().continueAsNewSuggested);
  await condition(allHandlersFinished);
  await continueAsNew<typeof tutorialWorkflow>(userId, Object.fromEntries(items));
}

/** Applies a command to the items. @returns the line's new quantity. */
export function change(items: Map<string, number>, { productId, quantity, isAbsolute }: LineCommand): number {
  const now = isAbsolute ? quantity : (items.get(productId) ?? 0) + quantity;
  if (now === 0) items.delete(productId);
  else items.set(productId, now);
  return now;
}
