import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { type ClientOptions, usualBehaviour } from './clients/clients';
import { closeConnections } from './clients/http';
import { openRecorder, type Recorder } from './clients/recorder';
import { openWorld, type World } from './world/world';

export interface WorldRun {
  readonly seed: number;
  /** Where the history, the logs and the reports are written. */
  readonly out: string;
  /** The folder that `npm run build` fills. */
  readonly build: string;
  readonly log: (line: string) => void;
}

/** Starts the whole system for a task and closes it afterwards, with everything that the task has opened. */
export async function inWorld<T>(
  { seed, out, build, log }: WorldRun,
  task: (world: World, recorder: Recorder) => Promise<T>,
): Promise<T> {
  const logs = path.join(out, 'logs');
  await rm(logs, { recursive: true, force: true });
  await mkdir(logs, { recursive: true });
  log(`SEED=${seed}`);
  const world = await openWorld({ build, logs, log });
  const recorder = openRecorder(path.join(out, 'history.jsonl'));
  try {
    return await task(world, recorder);
  } finally {
    closeConnections();
    await recorder.close();
    await world.close();
  }
}

/** What clients need that use so many carts of a world. */
export const clientOptions = (
  world: World,
  recorder: Recorder,
  { seed, carts }: { readonly seed: number; readonly carts: number },
): ClientOptions & { carts: string[] } => ({
  seed,
  recorder,
  commandUrls: world.roles.commands.map(({ url }) => url),
  queryUrls: world.roles.queries.map(({ url }) => url),
  carts: Array.from({ length: carts }, (_, index) => `cart-${index + 1}`),
  behaviour: { ...usualBehaviour },
  pauseMs: 60,
});
