import { condition, defineSignal, proxySinks, type Sinks, setHandler } from '@temporalio/workflow';

/** Tells the worker what a workflow has done. A sink is called once the activation that calls it has ended. */
export interface FloorSinks extends Sinks {
  floor: { started(): void; handled(commandId: string): void };
}

/** Accepts signals and does nothing: the least that a design with carts as workflows and commands as signals does. */
export async function floorWorkflow(): Promise<void> {
  const { floor } = proxySinks<FloorSinks>();
  floor.started();
  setHandler(defineSignal<[{ readonly commandId?: string }]>('command'), ({ commandId }) => {
    if (commandId !== undefined) floor.handled(commandId);
  });
  await condition(() => false);
}
