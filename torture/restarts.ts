import { whileClientsRun } from './clients/clients';
import { clientOptions, inWorld, type WorldRun } from './in-world';
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
    const settings = clientOptions(world, recorder, options);
    const restarted = await whileClientsRun(options.clients, settings, options.stop, () => restartAll(world, options));
    return summariseRestarts(options.seed, recorder.operations, restarted);
  });
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
