import { condition, defineSignal, proxySinks, type Sinks, setHandler } from '@temporalio/workflow';

/** Tells the worker that a workflow has begun. */
export interface FloorSinks extends Sinks {
  floor: { begun(): void };
}

/** Takes signals and does nothing: no design that keeps carts in workflows and commands in signals can do less. */
export async function floorWorkflow(): Promise<void> {
  proxySinks<FloorSinks>().floor.begun();
  setHandler(defineSignal<[unknown]>('command'), () => {});
  await condition(() => false);
}
