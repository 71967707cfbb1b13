import { existsSync, statSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bundleWorkflowCode, type WorkflowBundle, type WorkflowBundleOption } from '@temporalio/worker';

/** The payload converter of the workflows, and of all code that reads their histories. */
export const payloadConverterPath = require.resolve('../temporal/payload-converter');

const workflowsPath = require.resolve('../../workflows/cart');

/** In the folder that the build writes into. */
const builtBundle = path.join(__dirname, '../../workflow-bundle.js');

/** The workflow code for a worker: as the build left it, or bundled now where it is older than the code, or missing. */
export const loadCartWorkflow = async (): Promise<WorkflowBundleOption> =>
  isBuilt() ? { codePath: builtBundle } : bundleCartWorkflow();

/** The compiler writes all files anew. */
const isBuilt = (): boolean =>
  existsSync(builtBundle) && statSync(builtBundle).mtimeMs >= statSync(workflowsPath).mtimeMs;

/** Bundles the workflow code. This takes a few seconds. */
export function bundleCartWorkflow(): Promise<WorkflowBundle> {
  return bundleWorkflowCode({
    workflowsPath,
    payloadConverterPath,
    logger: { trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error, log() {} },
  });
}

/** Bundles the workflow code for the workers of this build. */
export async function writeBundle(): Promise<void> {
  const { code } = await bundleCartWorkflow();
  const unfinished = `${builtBundle}.${process.pid}`;
  await writeFile(unfinished, code);
  await rename(unfinished, builtBundle);
}
