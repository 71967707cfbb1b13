import { bundleWorkflowCode, type WorkflowBundle } from '@temporalio/worker';

/** The payload converter of the workflows, and of all code that reads their histories. */
export const payloadConverterPath = require.resolve('../temporal/payload-converter');

/** Bundles the workflow code for a worker. This takes a few seconds. */
export function bundleCartWorkflow(): Promise<WorkflowBundle> {
  return bundleWorkflowCode({
    workflowsPath: require.resolve('../../workflows/cart'),
    payloadConverterPath,
    logger: { trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error, log() {} },
  });
}
