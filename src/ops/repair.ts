import { readPrivateKey } from '../heads/keys';
import { UnrepairableError } from '../recovery/repair';
import { repairCart } from '../recovery/repair-cart';
import type { OpsContext, RegisterOp } from './context';
import { examples, parseId } from './options';

interface Options {
  readonly user: string;
  readonly accept?: boolean;
}

export const registerRepair: RegisterOp = (program, run) => {
  program
    .command('repair')
    .description('make the record of a cart again what its histories have; keeps the old rows and leaves a signed note')
    .requiredOption('--user <userId>', 'the user of the cart', parseId)
    .option('--accept', 'go on without what no history has: changed rows stay, missing decisions are lost')
    .addHelpText('after', examples('repair --user alice', 'repair --user alice --accept'))
    .action((options: Options) => run((context) => repair(context, options)));
};

async function repair(context: OpsContext, { user, accept = false }: Options): Promise<number> {
  const privateKey = await readPrivateKey(context.config.heads);
  try {
    const note = await repairCart(await context.histories(), user, privateKey, accept);
    context.print(
      note === undefined
        ? `The record of cart ${user} is what its histories have: nothing was changed.`
        : [`The record of cart ${user} was repaired from decision ${note.first} on:`, ...note.reasons].join('\n  '),
    );
    return 0;
  } catch (error) {
    if (!(error instanceof UnrepairableError)) throw error;
    context.print(`${error.message} To go on without it: ops repair --user ${user} --accept`);
    return 1;
  }
}
