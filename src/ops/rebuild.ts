import { InvalidArgumentError } from 'commander';
import { countEvents } from '../postgres/log/read-logs';
import { type RebuildResult, rebuildCart } from '../postgres/read-model/rebuild-cart';
import { rebuildAll } from '../recovery/rebuild';
import type { OpsContext, RegisterOp } from './context';
import { describeHealed, healEverything } from './heal';
import { examples, parseId } from './options';

interface Options {
  readonly from: 'log' | 'temporal';
  readonly user?: string;
  readonly json?: boolean;
}

const sources = ['log', 'temporal'] as const;

export const registerRebuild: RegisterOp = (program, run) => {
  program
    .command('rebuild')
    .description('build the read model anew while commands and queries go on; safe to kill, goes on where it stopped')
    .requiredOption(
      '--from <source>',
      "log: Postgres' copy of the log; temporal: heal that copy from the histories first",
      readSource,
    )
    .option('--user <userId>', 'one cart, in place (from the log)', parseId)
    .option('--json', 'print the result as JSON')
    .addHelpText('after', examples('rebuild --from log', 'rebuild --from temporal', 'rebuild --from log --user alice'))
    .action((options: Options) =>
      run(async (context) => {
        if (options.from === 'temporal' && !(await heal(context))) return 1;
        const result = options.user ? await rebuildUser(context, options.user) : await rebuildEverything(context);
        context.print(options.json ? JSON.stringify(result) : describe(result));
        return 0;
      }),
    );
};

function readSource(value: string): Options['from'] {
  const source = sources.find((known) => known === value);
  if (source === undefined) throw new InvalidArgumentError(`It is one of ${sources.join(', ')}.`);
  return source;
}

/** @returns whether every cart could be healed; a read model built from a log that is not whole would not be, either. */
async function heal(context: OpsContext): Promise<boolean> {
  const healed = await healEverything(context);
  if (healed.failed.length > 0) context.print(describeHealed(healed));
  return healed.failed.length === 0;
}

async function rebuildUser({ db }: OpsContext, userId: string): Promise<RebuildResult> {
  const result = await rebuildCart(db, userId);
  if (result === undefined) throw new Error(`There is no log of a cart of ${userId}.`);
  return result;
}

async function rebuildEverything({ db, startProgress }: OpsContext): Promise<RebuildResult> {
  const progress = startProgress('events', await countEvents(db));
  const result = await rebuildAll(db, ({ events }) => progress.set(events));
  progress.stop();
  return result;
}

function describe({ carts, events, differed }: RebuildResult): string {
  return [
    `Rebuilt ${carts} carts from ${events} events; ${differed.length} were not as the log says.`,
    ...differed.slice(0, 20).map((userId) => `  ${userId}`),
    ...(differed.length > 20 ? [`  … and ${differed.length - 20} more`] : []),
  ].join('\n');
}
