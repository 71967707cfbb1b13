import { setTimeout as delay } from 'node:timers/promises';
import { type Client, isGrpcServiceError, ServiceError, WorkflowNotFoundError } from '@temporalio/client';
import type { CarriedState, cartWorkflow } from '../../workflows/cart';
import { type Command, commandsSignalName } from '../domain/commands';
import { emptyCheckpoint } from '../domain/handle';
import { limits } from '../domain/limits';
import { TimeoutError, within } from '../within';
import { cartWorkflowId } from './ids';
import { cartItemCountKey, cartStatusKey, cartUserIdKey } from './search-attribute-keys';

/** Temporal did not confirm the command in time. It may or may not have it: sending it again under its id is safe. */
export class TemporalUnavailableError extends Error {
  override readonly name = 'TemporalUnavailableError';
}

export type SendCommand = (userId: string, command: Command) => Promise<void>;

const deadlineMs = 3_000;
/** The client pauses between its tries also after the deadline has passed; nobody is kept waiting for that. */
const hardDeadlineMs = 3_500;
/** For how long the first of some commands waits for others of its cart, as a page load sends them. */
const gatherMs = 2;
/** For how long commands wait for the cart's last signal to be taken, so that they go together in the next one. */
const turnMs = 250;
/** For how long a command waits to learn whether its user is new. */
const lookUpMs = 250;
const rememberedUsers = 100_000;

interface Waiting {
  readonly command: Command;
  readonly sent: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Sends commands as signals; the first one of a user starts the cart. Commands of a cart that come at the same time, or while
 * its last signal is under way, share one signal. Resolves once Temporal has the command durably.
 * @param isNewUser whether a user never had a cart: such a cart need not look for its past.
 * @throws TemporalUnavailableError within a few seconds where Temporal cannot be had.
 */
export function createCommandSender(
  client: Client,
  taskQueue: string,
  isNewUser: (userId: string) => Promise<boolean>,
): SendCommand {
  const waiting = new Map<string, Waiting[]>();
  const underWay = new Map<string, Promise<void>>();
  const known = new Set<string>();

  const sendTogether = async (userId: string) => {
    const isNew = !known.has(userId) && within(lookUpMs, isNewUser(userId)).catch(() => false);
    await delay(gatherMs);
    await Promise.race([underWay.get(userId), underWay.has(userId) && delay(turnMs)]);
    const group = waiting.get(userId)!;
    waiting.delete(userId);
    const isStart = await isNew;
    for (let first = 0; first < group.length; first += limits.commandsPerSignal) {
      const part = group.slice(first, first + limits.commandsPerSignal);
      const sending = signal(userId, part, isStart).finally(() => {
        if (underWay.get(userId) === sending) underWay.delete(userId);
      });
      underWay.set(userId, sending);
    }
  };
  const signal = async (userId: string, group: readonly Waiting[], isStart: boolean) => {
    const commands = group.map(({ command }) => command);
    try {
      const sending = client.withDeadline(Date.now() + deadlineMs, async () => {
        const isTold = known.has(userId) && (await tellRunning(userId, commands));
        if (!isTold) await tellOrStart(userId, commands, isStart);
      });
      await within(hardDeadlineMs, sending);
      remember(userId);
      for (const { sent } of group) sent();
    } catch (error) {
      const isAway = error instanceof TimeoutError || error instanceof ServiceError || isGrpcServiceError(error);
      const told = isAway
        ? new TemporalUnavailableError('Temporal did not confirm the command.', { cause: error })
        : error;
      for (const { failed } of group) failed(told);
    }
  };
  /** Costs Temporal a tenth less than a signal that may also start the cart. @returns false where no run of it is open. */
  const tellRunning = async (userId: string, commands: readonly Command[]): Promise<boolean> => {
    const { signal, signalArgs } = signalOf(commands);
    try {
      await client.workflow.getHandle(cartWorkflowId(userId)).signal(signal, ...signalArgs);
      return true;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  };
  const tellOrStart = (userId: string, commands: readonly Command[], isStart: boolean) =>
    client.workflow.signalWithStart<typeof cartWorkflow, unknown[]>('cartWorkflow', {
      workflowId: cartWorkflowId(userId),
      taskQueue,
      ...signalOf(commands),
      ...(isStart ? freshStart(userId, commands) : {}),
      staticSummary: `Cart of ${userId}`,
    });
  const remember = (userId: string) => {
    known.delete(userId);
    known.add(userId);
    if (known.size > rememberedUsers) known.delete(known.values().next().value!);
  };

  return (userId, command) =>
    new Promise((sent, failed) => {
      const group = waiting.get(userId);
      if (group) group.push({ command, sent, failed });
      else {
        waiting.set(userId, [{ command, sent, failed }]);
        void sendTogether(userId);
      }
    });
}

/** One command is a signal of its own name, so that the history reads like a story; several are one named `commands`. */
function signalOf(commands: readonly Command[]) {
  const [first] = commands;
  if (commands.length > 1) return { signal: commandsSignalName, signalArgs: [commands] };
  const { type, ...payload } = first!;
  return { signal: type, signalArgs: [payload] };
}

/**
 * What a run of a cart that never was begins with: nothing to load, and the search attributes as its first command will most
 * likely have them. Where a run is there already, Temporal takes no notice of any of this.
 */
function freshStart(userId: string, commands: readonly Command[]) {
  const itemCount = commands.reduce((sum, command) => sum + (command.type === 'addItem' ? command.quantity : 0), 0);
  const fresh: CarriedState = { schema: 1, checkpoint: emptyCheckpoint, unprojected: [] };
  return {
    args: [fresh] as [CarriedState],
    typedSearchAttributes: [
      { key: cartUserIdKey, value: userId },
      { key: cartStatusKey, value: itemCount > 0 ? 'open' : 'empty' },
      { key: cartItemCountKey, value: itemCount },
    ],
  };
}
