import { Worker } from '@temporalio/worker';
import { cartWorkflowId } from '../../src/contract/ids';
import { payloadConverterPath } from '../../src/worker/bundle';

/** Replays a history of this cart against the workflow code at hand. @throws DeterminismViolationError and others. */
export function replayCart(userId: string, history: unknown): Promise<void> {
  const options = {
    workflowBundle: { codePath: process.env.TEST_WORKFLOW_BUNDLE! },
    dataConverter: { payloadConverterPath },
  };
  return Worker.runReplayHistory(options, history, cartWorkflowId(userId));
}
