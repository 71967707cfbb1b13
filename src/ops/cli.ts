import { Command, CommanderError } from 'commander';
import { describeError } from '../describe-error';
import type { OpenContext, RegisterOp, RunTask } from './context';
import { registerHeal } from './heal';
import { registerHistories } from './histories';
import { registerRebuild } from './rebuild';
import { registerReplay } from './replay';
import { registerVerify } from './verify';

const registrations: readonly RegisterOp[] = [
  registerVerify,
  registerHeal,
  registerRebuild,
  registerHistories,
  registerReplay,
];

/** The operators' command line. */
function createProgram(run: RunTask): Command {
  const program = new Command('ops')
    .description('Looks after the carts: verifies, heals, rebuilds, exports and replays them. See docs/operations.md.')
    .helpCommand('help [command]', 'what there is, or what a command takes')
    .exitOverride()
    .showHelpAfterError('(--help tells what there is)')
    .addHelpText(
      'after',
      `
Works on DATABASE_URL and TEMPORAL_ADDRESS; where they are not set, on the servers of a running \`npm start\`.
Exit status: 0 all is well, 1 something was found, 2 the command could not be carried out.`,
    );
  for (const register of registrations) register(program, run);
  return program;
}

/**
 * Runs one command. Never rejects: what went wrong is told on standard error.
 * @param args the words after the program's name.
 * @returns the exit status.
 */
export async function runOps(args: readonly string[], open: () => Promise<OpenContext>): Promise<number> {
  let status = 0;
  const run: RunTask = async (task) => {
    const { context, close } = await open();
    try {
      status = await task(context);
    } finally {
      await close();
    }
  };
  try {
    await createProgram(run).parseAsync([...args], { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    console.error(describeError(error));
    return 2;
  }
}
