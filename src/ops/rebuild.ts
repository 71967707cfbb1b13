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
    .description('rebuild the read model while commands and queries continue; after a kill, the next call continues')
    .requiredOption(
      '--from <source>',
      "log: build from the log in Postgres; temporal: heal that log from Temporal's histories first",
      readSource,
    )
    .option('--user <userId>', 'rebuild only this cart, in place', parseId)
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
  const source = sources.find((each) => each === value);
  if (source === undefined) throw new InvalidArgumentError(`It must be one of ${sources.join(', ')}.`);
  return source;
}

/** @returns whether every cart was healed. A read model built from an incomplete log would be incomplete, too. */
async function heal(context: OpsContext): Promise<boolean> {
  const healed = await healEverything(context);
  if (healed.failed.length > 0) context.print(describeHealed(healed));
  return healed.failed.length === 0;
}

async function rebuildUser({ db }: OpsContext, userId: string): Promise<RebuildResult> {
  const result = await rebuildCart(db, userId);
  if (result === undefined) throw new Error(`The cart of ${userId} has no log.`);
  return result;
}

async function rebuildEverything({ db, startProgress }: OpsContext): Promise<RebuildResult> {
  const progress = startProgress('events', await countEvents(db));
  const result = await rebuildAll(db, ({ events }) => progress.set(events));
  await progress.stop(`${result.carts} carts, ${result.differed.length} did not match the log`);
  return result;
}

function describe({ carts, events, differed }: RebuildResult): string {
  return [
    `Rebuilt ${carts} carts from ${events} events; ${differed.length} did not match the log.`,
    ...differed.slice(0, 20).map((userId) => `  ${userId}`),
    ...(differed.length > 20 ? [`  … and ${differed.length - 20} more`] : []),
  ].join('\n');
}
