import { loadConfig } from '../../src/config';
import { runOps } from '../../src/ops/cli';
import type { OpsContext } from '../../src/ops/context';
import { startProgress } from '../../src/ops/progress';
import type { World } from './world';

/** Runs one command of ops on a world. @returns its exit status and what it printed. */
export const runOpsOn = (world: World, ...words: string[]) => runOpsWith(world, {}, ...words);

/** As `runOpsOn`, with these environment variables. */
export async function runOpsWith(
  world: World,
  variables: NodeJS.ProcessEnv,
  ...words: string[]
): Promise<{ status: number; output: string }> {
  const printed: string[] = [];
  const context: OpsContext = {
    config: loadConfig({ TEMPORAL_TASK_QUEUE: world.taskQueue, ...variables }),
    db: world.db,
    temporal: async () => world.client,
    histories: async () => ({ client: world.client, db: world.db }),
    print: (text) => printed.push(text),
    startProgress: (what, total) => startProgress(world.db, what, total),
  };
  const status = await runOps(words, async () => ({ context, close: async () => {} }));
  return { status, output: printed.join('\n') };
}
