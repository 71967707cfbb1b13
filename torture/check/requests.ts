import { lineIdOf } from './fold';
import { type CommandOperation, type Effect, groupBy, type Story } from './story';
import type { CommandAsk, CommandType } from './types';

/** What of a command comes from the client, beside its key and its expected version. */
const clientFields: Readonly<Record<CommandType, readonly string[]>> = {
  addItem: ['productId', 'quantity', 'attributes'],
  changeItemQuantity: ['lineId', 'quantity'],
  removeItem: ['lineId'],
  clearCart: [],
  checkOut: ['expectedTotal', 'acceptChanges'],
  changeNote: ['note'],
  restoreCart: ['version'],
  handOverCart: ['to', 'strategy'],
  mergeCart: ['from'],
};

/**
 * Text that is equal for equal requests, but for their expected versions: the timeline does not show those.
 * @param data has the fields of the command, others as well.
 */
export function shapeOf(type: string, data: object): string {
  const fields = clientFields[type as CommandType] ?? [];
  const values: Record<string, unknown> = { ...data, lineId: lineIdOf(data) };
  return JSON.stringify([type, ...fields.map((field) => values[field])]);
}

/** The operations of each distinct request. */
export const byRequest = (operations: readonly CommandOperation[]): Map<string, CommandOperation[]> =>
  groupBy(operations, ({ ask }) => `${shapeOf(ask.type, ask)} ${ask.expectedVersion}`);

/** Whether the effect is what this request must lead to: the command's type and its own fields are the same. */
export function fits(story: Story, effect: Effect, ask: CommandAsk): boolean {
  if (effect.command !== ask.type) return false;
  const { type, data } = effect.entries[0]!;
  if (effect.code !== undefined) return shapeOf(effect.command, data) === shapeOf(ask.type, ask);
  const isLine = lineIdOf(data) === lineIdOf(ask);
  switch (ask.type) {
    case 'addItem': {
      const added = (data.quantity as number) - (data.previousQuantity as number);
      const isChoice =
        data.productId === ask.productId && JSON.stringify(data.attributes) === JSON.stringify(ask.attributes);
      return type === 'ItemAdded' && isChoice && added === ask.quantity;
    }
    case 'changeItemQuantity':
      return ['ItemQuantityChanged', 'ItemRemoved'].includes(type) && isLine && data.quantity === ask.quantity;
    case 'removeItem':
      return type === 'ItemRemoved' && isLine;
    case 'clearCart':
      return type === 'CartCleared';
    case 'changeNote':
      return type === 'NoteChanged' && data.note === ask.note;
    case 'handOverCart':
      return type === 'CartHandedOver' && data.to === ask.to && data.strategy === ask.strategy;
    case 'mergeCart':
      return type === 'CartMerged' && data.from === ask.from;
    case 'checkOut': {
      const sold = effect.entries.at(-1)!;
      const isShown = ask.expectedTotal === undefined || sold.data.subtotal === ask.expectedTotal;
      const isAccepted = ask.acceptChanges === true || effect.entries.length === 1;
      return sold.type === 'CartCheckedOut' && isShown && isAccepted;
    }
    case 'restoreCart': {
      const isVersion = type === 'CartRestored' && data.restoredVersion === ask.version;
      return isVersion && story.contents.get(effect.versions[0]!) === story.contents.get(ask.version!);
    }
  }
}
