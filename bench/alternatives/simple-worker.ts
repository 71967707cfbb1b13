import { bundleWorkflowCode, type InjectedSinks, NativeConnection, Worker } from '@temporalio/worker';
import type { ChildOptions, Opened } from '../children';
import type { FloorSinks } from './floor';
import { createWriteItem } from './write-item';

/**
 * A worker of a simple design, on a task queue with the design's name. It has the slots, polls and timeouts of the
 * cart's worker, but not its pace.
 */
export async function openSimpleWorker(
  design: string,
  options: ChildOptions,
  onHandled: (commandId: string) => void,
): Promise<Opened> {
  const { activities } = createWriteItem(options.databaseUrl);
  const connection = await NativeConnection.connect({ address: options.address });
  let startedWorkflows = 0;
  const sinks: InjectedSinks<FloorSinks> = {
    floor: {
      started: {
        fn() {
          startedWorkflows += 1;
        },
      },
      handled: { fn: (_info, commandId) => onHandled(commandId) },
    },
  };
  const worker = await Worker.create({
    connection,
    taskQueue: design,
    activities,
    sinks,
    maxConcurrentActivityTaskExecutions: 500,
    nonStickyToStickyPollRatio: 0.5,
    stickyQueueScheduleToStartTimeout: '2500ms',
    workflowBundle: await bundleDesign(design),
  });
  void worker.run();
  return { startedWorkflows: () => startedWorkflows };
}

/** Bundles the workflow of a simple design. */
export const bundleDesign = (design: string) =>
  bundleWorkflowCode({
    workflowsPath: require.resolve(`./${design}`),
    logger: { trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error, log() {} },
  });
