import { condition, defineSignal, proxySinks, type Sinks, setHandler } from '@temporalio/workflow';

/** Notifies the worker that a workflow has started. */
export interface FloorSinks extends Sinks {
  floor: { started(): void };
}

/** Accepts signals and does nothing: the least that a design with carts as workflows and commands as signals does. */
export async function floorWorkflow(): Promise<void> {
  proxySinks<FloorSinks>().floor.started();
  setHandler(defineSignal<[unknown]>('command'), () => {});
  await condition(() => false);
}
