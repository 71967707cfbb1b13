import type { WorkflowInterceptorsFactory } from '@temporalio/workflow';
import { workflowInfo } from '@temporalio/workflow';

/**
 * A run that does not receive signals whose command ids begin with `unheard`, until it is replayed: as where the SDK
 * takes signals for events that the run knows already.
 */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  inbound: [
    {
      async handleSignal(input, next) {
        const isUnheard = JSON.stringify(input.args).includes('"unheard');
        if (isUnheard && !workflowInfo().unsafe.isReplaying) return;
        await next(input);
      },
    },
  ],
});
