import type { BatchAsk, CommandAsk, MergeAsk, Operation, Sending } from './types';

/** The operations, with each batch and each merge as the commands that it sends, each to its cart. */
export const singleCommands = (operations: readonly Operation[]): Operation[] => operations.flatMap(toSingle);

/** Whether it asks for something to be done. */
export const isSending = (ask: Operation['ask']): ask is Sending =>
  ask.kind === 'command' || ask.kind === 'batch' || ask.kind === 'merge';

function toSingle(operation: Operation): readonly Operation[] {
  const { ask } = operation;
  if (ask.kind === 'batch') return commandsOf(ask).map((command) => ({ ...showingCart(operation), ask: command }));
  if (ask.kind === 'merge') return [handOverIn(operation, ask), mergeIn(operation, ask)];
  return [operation];
}

function commandsOf({ key, commands, atomic, expectedVersion, waitSeconds }: BatchAsk): CommandAsk[] {
  return commands.map((fields, index) => ({
    ...{ kind: 'command', ...fields, key: `${key}:${index + 1}`, waitSeconds },
    batch: {
      ...{ key, atomic, place: index + 1, size: commands.length },
      ...(expectedVersion === undefined ? {} : { expectedVersion }),
    },
  }));
}

/** Answered 200, the cart is in the body. */
const showingCart = (operation: Operation): Operation =>
  operation.status === 200 ? { ...operation, body: (operation.body as { cart: unknown }).cart } : operation;

/** In the cart of the guest. The answer shows nothing of that cart. */
function handOverIn(operation: Operation, { key, from, strategy, waitSeconds }: MergeAsk): Operation {
  const ask: CommandAsk = {
    ...{ kind: 'command', type: 'handOverCart', key, to: operation.cart, strategy, waitSeconds },
  };
  const accepted = operation.status === 200 ? { status: 202, body: { commandId: key } } : {};
  return { ...operation, ...accepted, cart: from, ask };
}

/** In the cart of the user. Whether it comes to that, the hand-over decides. */
function mergeIn(operation: Operation, { from, waitSeconds }: MergeAsk): Operation {
  const ask: CommandAsk = { kind: 'command', type: 'mergeCart', key: mergeIdOf(from), from, waitSeconds };
  const { result, status } = operation;
  const isDecided = status === 200 || status === 202;
  if (result === 'ok' && !isDecided) return { ...operation, ask, result: 'fail' };
  return { ...showingCart(operation), ask, result: status === 202 ? 'unknown' : result };
}

/** The id of the command with which the cart of a guest comes into that of a user. */
export const mergeIdOf = (guest: string): string => `merge:${guest}`;
