import { Command, CommanderError } from 'commander';
import { describeError } from '../describe-error';
import type { OpenContext, RegisterOp, RunTask } from './context';
import { registerHeads } from './heads';
import { registerHeal } from './heal';
import { registerHistories } from './histories';
import { registerRebuild } from './rebuild';
import { registerRepair } from './repair';
import { registerReplay } from './replay';
import { registerVerify } from './verify';

const registrations: readonly RegisterOp[] = [
  registerVerify,
  registerHeal,
  registerRebuild,
  registerHistories,
  registerReplay,
  registerHeads,
  registerRepair,
];

/** The operators' command line. */
function createProgram(run: RunTask): Command {
  const program = new Command('ops')
    .description('Verifies, heals, rebuilds, exports and replays carts. See docs/operations.md.')
    .helpCommand('help [command]', 'show all commands, or the options of one command')
    .exitOverride()
    .showHelpAfterError('(--help shows all commands and options)')
    .addHelpText(
      'after',
      `
Connects to DATABASE_URL and TEMPORAL_ADDRESS. If they are not set, connects to the servers of a running \`npm start\`.
Exit status: 0 no problem was found, 1 a problem was found, 2 the command failed.`,
    );
  for (const register of registrations) register(program, run);
  return program;
}

/**
 * Runs one command. It never rejects: errors are printed to standard error.
 * @param args the command line without the program's name.
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
