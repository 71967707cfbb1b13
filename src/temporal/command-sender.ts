import { type Client, isGrpcServiceError, ServiceError } from '@temporalio/client';
import type { cartWorkflow } from '../../workflows/cart';
import type { Command } from '../domain/commands';
import { TimeoutError, within } from '../within';
import { cartWorkflowId } from './ids';

/** Temporal did not confirm the command in time. It may or may not have it: sending it again under its id is safe. */
export class TemporalUnavailableError extends Error {
  override readonly name = 'TemporalUnavailableError';
}

export type SendCommand = (userId: string, command: Command) => Promise<void>;

const deadlineMs = 3_000;
/** The client pauses between its tries also after the deadline has passed; nobody is kept waiting for that. */
const hardDeadlineMs = 3_500;

/**
 * Sends commands as signals; the first one of a user starts the cart. Resolves once Temporal has the signal durably.
 * @throws TemporalUnavailableError within a few seconds where it cannot be had.
 */
export function createCommandSender(client: Client, taskQueue: string): SendCommand {
  return async (userId, { type, ...payload }) => {
    try {
      const sending = client.withDeadline(Date.now() + deadlineMs, () =>
        client.workflow.signalWithStart<typeof cartWorkflow, [unknown]>('cartWorkflow', {
          workflowId: cartWorkflowId(userId),
          taskQueue,
          signal: type,
          signalArgs: [payload],
          staticSummary: `Cart of ${userId}`,
        }),
      );
      await within(hardDeadlineMs, sending);
    } catch (error) {
      if (error instanceof TimeoutError || error instanceof ServiceError || isGrpcServiceError(error)) {
        throw new TemporalUnavailableError('Temporal did not confirm the command.', { cause: error });
      }
      throw error;
    }
  };
}
