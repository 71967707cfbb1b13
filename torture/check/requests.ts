import { content } from './fold';
import { type CommandOperation, type Effect, groupBy, type Story } from './story';
import type { CommandAsk, CommandType } from './types';

/** What of a command comes from the client, beside its key and its expected version. */
const clientFields: Readonly<Record<CommandType, readonly string[]>> = {
  addItem: ['productId', 'quantity'],
  changeItemQuantity: ['productId', 'quantity'],
  removeItem: ['productId'],
  clearCart: [],
  checkOut: ['expectedTotal', 'acceptChanges'],
  restoreCart: ['version'],
};

/**
 * Text that is equal for equal requests, but for their expected versions: the timeline does not show those.
 * @param data has the fields of the command, others as well.
 */
export function shapeOf(type: string, data: object): string {
  const fields = clientFields[type as CommandType] ?? [];
  return JSON.stringify([type, ...fields.map((field) => (data as Record<string, unknown>)[field])]);
}

/** The operations of each distinct request. */
export const byRequest = (operations: readonly CommandOperation[]): Map<string, CommandOperation[]> =>
  groupBy(operations, ({ ask }) => `${shapeOf(ask.type, ask)} ${ask.expectedVersion}`);

/** Whether the effect is what this request must lead to: the command's type and its own fields are the same. */
export function fits(story: Story, effect: Effect, ask: CommandAsk): boolean {
  if (effect.command !== ask.type) return false;
  const { type, data } = effect.entries[0]!;
  if (effect.code !== undefined) return shapeOf(effect.command, data) === shapeOf(ask.type, ask);
  const isProduct = data.productId === ask.productId;
  switch (ask.type) {
    case 'addItem': {
      const added = (data.quantity as number) - (data.previousQuantity as number);
      return type === 'ItemAdded' && isProduct && added === ask.quantity;
    }
    case 'changeItemQuantity':
      return ['ItemQuantityChanged', 'ItemRemoved'].includes(type) && isProduct && data.quantity === ask.quantity;
    case 'removeItem':
      return type === 'ItemRemoved' && isProduct;
    case 'clearCart':
      return type === 'CartCleared';
    case 'checkOut': {
      const sold = effect.entries.at(-1)!;
      const isShown = ask.expectedTotal === undefined || sold.data.subtotal === ask.expectedTotal;
      const isAccepted = ask.acceptChanges === true || effect.entries.length === 1;
      return sold.type === 'CartCheckedOut' && isShown && isAccepted;
    }
    case 'restoreCart': {
      const isVersion = type === 'CartRestored' && data.restoredVersion === ask.version;
      const items = data.items as Parameters<typeof content>[0];
      return isVersion && content(items) === story.contents.get(ask.version!);
    }
  }
}
