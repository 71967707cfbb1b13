import { type Client, isGrpcServiceError, ServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { LRUCache } from 'lru-cache';
import { cartWorkflowId } from '../contract/ids';
import { cartItemCountKey, cartStatusKey, cartUserIdKey } from '../contract/search-attributes';
import { toSignal } from '../contract/signals';
import { type CarriedState, type CartWorkflow, cartStartOptions, cartWorkflowType } from '../contract/workflow';
import { type Command, isAddItem } from '../domain/commands';
import { emptyCheckpoint } from '../domain/handle';
import { signalUntilTaken } from '../temporal/closing-run';
import { TimeoutError, within } from '../timeout';
import { gatherCommands, type SendCommand } from './gather-commands';

/** Temporal did not confirm the command in time, but may have stored it. Sending it again with the same id is safe. */
export class TemporalUnavailableError extends Error {
  override readonly name = 'TemporalUnavailableError';
}

const deadlineMs = 3_000;
/** The Temporal client can pause between two attempts beyond the deadline. The caller does not wait for that. */
const hardDeadlineMs = 3_500;
/** How long a command waits until it is known whether its cart is new. After that, it counts as not new. */
const newUserLookUpMs = 250;
const maxRememberedUsers = 100_000;

/**
 * Sends commands as signals; a user's first signal starts the workflow. Commands of one cart that arrive together share
 * a signal.
 * @param isNewUser returns whether Postgres has no log of a user: a new cart does not need to load its checkpoint.
 * @throws TemporalUnavailableError within a few seconds if Temporal does not answer.
 */
export function createCommandSender(
  client: Client,
  taskQueue: string,
  isNewUser: (userId: string) => Promise<boolean>,
): SendCommand {
  /** The users whose carts this process has sent a signal to. */
  const usersWithCart = new LRUCache<string, true>({ max: maxRememberedUsers });

  const signal = async (userId: string, commands: readonly Command[], isNew: boolean) => {
    if (usersWithCart.has(userId) && (await signalOpenRun(userId, commands))) return;
    await signalOrStart(userId, commands, isNew);
  };
  /** Postgres may have lost a user whom Temporal knows, as after restoring an older backup. */
  const isNewCart = async (userId: string): Promise<boolean> => (await isNewUser(userId)) && !(await hasRun(userId));
  const hasRun = async (userId: string): Promise<boolean> => {
    const handle = client.workflow.getHandle(cartWorkflowId(userId));
    return isFound(client.withDeadline(Date.now() + newUserLookUpMs, () => handle.describe()));
  };
  /** Costs Temporal a tenth less than `signalWithStart`. @returns false if no run of the cart is open. */
  const signalOpenRun = async (userId: string, commands: readonly Command[]): Promise<boolean> => {
    const { signal: name, signalArgs } = toSignal(commands);
    return isFound(client.workflow.getHandle(cartWorkflowId(userId)).signal(name, ...signalArgs));
  };
  const signalOrStart = (userId: string, commands: readonly Command[], isNew: boolean) =>
    client.workflow.signalWithStart<CartWorkflow, [unknown]>(cartWorkflowType, {
      ...cartStartOptions(userId, taskQueue),
      ...toSignal(commands),
      ...(isNew ? newCart(userId, commands) : {}),
    });

  return gatherCommands({
    begin: async (userId) =>
      !usersWithCart.has(userId) && within(newUserLookUpMs, isNewCart(userId)).catch(() => false),
    async send(userId, commands, isNew) {
      const sendOnce = async () => {
        const isNewUser = await isNew;
        const sending = client.withDeadline(Date.now() + deadlineMs, () => signal(userId, commands, isNewUser));
        return within(hardDeadlineMs, sending);
      };
      try {
        await signalUntilTaken(sendOnce);
      } catch (error) {
        if (!isTemporalAway(error)) throw error;
        throw new TemporalUnavailableError('Temporal did not confirm the command.', { cause: error });
      }
      usersWithCart.set(userId, true);
    },
  });
}

/** Whether Temporal has the workflow of this request. */
async function isFound(request: Promise<unknown>): Promise<boolean> {
  try {
    await request;
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

const isTemporalAway = (error: unknown): boolean =>
  error instanceof TimeoutError || error instanceof ServiceError || isGrpcServiceError(error);

/**
 * Start options for a new user's cart: an empty state, so that the workflow loads no checkpoint, and the search
 * attributes that the first commands will probably lead to. If a run is already open, Temporal ignores these options.
 */
function newCart(userId: string, commands: readonly Command[]) {
  const itemCount = commands.reduce((sum, command) => sum + (isAddItem(command) ? command.quantity : 0), 0);
  const initialState: CarriedState = { schema: 1, checkpoint: emptyCheckpoint, unprojected: [] };
  return {
    args: [initialState] as [CarriedState],
    typedSearchAttributes: [
      { key: cartUserIdKey, value: userId },
      { key: cartStatusKey, value: itemCount > 0 ? 'open' : 'empty' },
      { key: cartItemCountKey, value: itemCount },
    ],
  };
}
