import { bundleWorkflowCode, type WorkflowBundle } from '@temporalio/worker';

/** The payload converter that workflows and everything that reads their histories use. */
export const payloadConverterPath = require.resolve('../temporal/payload-converter');

/** Bundles the workflow code as the worker runs it. Takes some seconds. */
export function bundleCartWorkflow(): Promise<WorkflowBundle> {
  return bundleWorkflowCode({
    workflowsPath: require.resolve('../../workflows/cart'),
    payloadConverterPath,
    logger: { trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error, log() {} },
  });
}
