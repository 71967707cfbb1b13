import { bundleWorkflowCode, type InjectedSinks, NativeConnection, Worker } from '@temporalio/worker';
import type { ChildOptions, Opened } from '../children';
import type { FloorSinks } from './floor';
import { createWriteItem } from './write-item';

/**
 * A worker of one of the simple designs, on a task queue named like it, with the slots and timeouts of the cart's worker, but the
 * SDK's own pace and polls.
 */
export async function openSimpleWorker(design: string, options: ChildOptions): Promise<Opened> {
  const { activities } = createWriteItem(options.databaseUrl);
  const connection = await NativeConnection.connect({ address: options.address });
  let begun = 0;
  const sinks: InjectedSinks<FloorSinks> = {
    floor: {
      begun: {
        fn() {
          begun += 1;
        },
      },
    },
  };
  const worker = await Worker.create({
    connection,
    taskQueue: design,
    activities,
    sinks,
    maxConcurrentActivityTaskExecutions: 500,
    stickyQueueScheduleToStartTimeout: '3s',
    workflowBundle: await bundleDesign(design),
  });
  void worker.run();
  return { begunWorkflows: () => begun };
}

/** The bundle of a simple design's workflow. */
export const bundleDesign = (design: string) =>
  bundleWorkflowCode({
    workflowsPath: require.resolve(`./${design}`),
    logger: { trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error, log() {} },
  });
