import { setMaxListeners } from 'node:events';
import { runClient, usualBehaviour } from './clients/clients';
import type { Recorder } from './clients/recorder';
import { inWorld, type WorldRun } from './in-world';
import { type RestartReport, type RoleRestart, summariseRestarts } from './report/restarts';
import { putProducts } from './run';
import { roleNames, type World } from './world/world';

export interface RestartOptions extends WorldRun {
  /** How often every role is restarted, one process after the other. */
  readonly restarts: number;
  readonly clients: number;
  readonly carts: number;
  /** Ends the run early; everything is closed then. */
  readonly stop: AbortSignal;
}

/** Restarts every role again and again while clients send requests. Nothing else is broken. */
export async function runRestarts(options: RestartOptions): Promise<RestartReport> {
  return inWorld(options, async (world, recorder) => {
    await putProducts(world.roles.commands[0]!.url);
    const restarted = await underLoad(world, recorder, options, () => restartAll(world, options));
    return summariseRestarts(options.seed, recorder.operations, restarted);
  });
}

/** Runs clients until the task has ended and each of them has its last answer. */
async function underLoad<T>(
  world: World,
  recorder: Recorder,
  { seed, clients, carts }: RestartOptions,
  task: () => Promise<T>,
): Promise<T> {
  const ending = new AbortController();
  setMaxListeners(0, ending.signal);
  const settings = {
    seed,
    recorder,
    commandUrls: world.roles.commands.map(({ url }) => url),
    queryUrls: world.roles.queries.map(({ url }) => url),
    carts: Array.from({ length: carts }, (_, index) => `cart-${index + 1}`),
    behaviour: usualBehaviour,
    pauseMs: 60,
  };
  const running = Array.from({ length: clients }, (_, index) => runClient(index + 1, settings, ending.signal));
  try {
    return await task();
  } finally {
    ending.abort();
    await Promise.all(running);
  }
}

/** All roles at the same time; of each role one process after the other, so that the other one serves meanwhile. */
async function restartAll(world: World, { restarts, log, stop }: RestartOptions): Promise<readonly RoleRestart[]> {
  const restarted: RoleRestart[] = [];
  for (let round = 1; round <= restarts; round += 1) {
    const rolling = roleNames.map(async (role) => {
      for (const process of world.roles[role]) {
        if (stop.aborted) return;
        const restart = { role, ...(await process.restart()) };
        restarted.push(restart);
        log(JSON.stringify(restart));
      }
    });
    await Promise.all(rolling);
    if (stop.aborted) throw new Error('The run was interrupted.');
    log(`every role was restarted ${round} of ${restarts} times`);
  }
  return restarted;
}
