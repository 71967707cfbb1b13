import { setTimeout as delay } from 'node:timers/promises';
import { isGrpcServiceError } from '@temporalio/client';
import { cartTaskTimeoutMs } from '../contract/workflow';

const retryMs = 100;
/** Somewhat longer than a task may take that a killed worker had. */
const closingAtMostMs = cartTaskTimeoutMs + 300;

/**
 * Sends a signal, again and again while the run of the cart is closing: once a task could not end the run because of
 * new signals, Temporal takes no signal until a worker has answered the next task, or until that has timed out. See
 * ErrWorkflowClosing in the source of its server.
 * @throws whatever else `signal` throws, at once.
 */
export async function signalUntilTaken<T>(signal: () => Promise<T>): Promise<T> {
  const last = Date.now() + closingAtMostMs;
  for (;;) {
    try {
      return await signal();
    } catch (error) {
      if (!isRunClosing(error) || Date.now() > last) throw error;
      await delay(retryMs);
    }
  }
}

/** Whether the answer to a signal says that the run is closing. The client otherwise asks again only after 1.7 s. */
export const saysClosing = (answer: { readonly details: string }): boolean =>
  /workflow is closing/i.test(answer.details);

function isRunClosing(error: unknown): boolean {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return isGrpcServiceError(cause) && saysClosing(cause);
}
