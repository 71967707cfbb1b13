import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bundleWorkflowCode, type WorkflowBundle, type WorkflowBundleOption } from '@temporalio/worker';

/** The payload converter of the workflows, and of all code that reads their histories. */
export const payloadConverterPath = require.resolve('../temporal/payload-converter');

/** In the folder that the build writes into. */
const builtBundle = path.join(__dirname, '../../workflow-bundle.js');

/** The workflow code for a worker: as the build left it, or bundled now, where the code runs without a build. */
export const loadCartWorkflow = async (): Promise<WorkflowBundleOption> =>
  existsSync(builtBundle) ? { codePath: builtBundle } : bundleCartWorkflow();

/** Bundles the workflow code. This takes a few seconds. */
export function bundleCartWorkflow(): Promise<WorkflowBundle> {
  return bundleWorkflowCode({
    workflowsPath: require.resolve('../../workflows/cart'),
    payloadConverterPath,
    logger: { trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error, log() {} },
  });
}

/** Bundles the workflow code for the workers of this build. */
export async function writeBundle(): Promise<void> {
  const { code } = await bundleCartWorkflow();
  await writeFile(builtBundle, code);
}
