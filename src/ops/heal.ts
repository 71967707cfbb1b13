import { deliverLeftBehind } from '../delivery/deliver';
import { createMergeSweep } from '../delivery/merge';
import { healCart } from '../recovery/heal';
import { type HealResult, healAll } from '../recovery/heal-all';
import { readDecisions } from '../temporal/histories/read-decisions';
import type { OpsContext, RegisterOp } from './context';
import { examples, parseId } from './options';
import { asTable } from './table';

interface Options {
  readonly user?: string;
  readonly json?: boolean;
}

export const registerHeal: RegisterOp = (program, run) => {
  program
    .command('heal')
    .description(
      "write the decisions that the log in Postgres lacks, from Temporal's histories, as after restoring a backup, " +
        'and deliver the commands that ended runs left behind',
    )
    .option('--user <userId>', 'only this cart', parseId)
    .option('--json', 'print the result as JSON')
    .addHelpText('after', examples('heal', 'heal --user alice'))
    .action((options: Options) =>
      run(async (context) => {
        const result = options.user ? await healUser(context, options.user) : await healEverything(context);
        context.print(options.json ? JSON.stringify(result) : describeHealed(result));
        return result.failed.length === 0 ? 0 : 1;
      }),
    );
};

/** What healing wrote, and how many commands of ended runs were handed to their carts. */
type Healed = HealResult & { readonly delivered: number };

async function healUser(context: OpsContext, userId: string): Promise<Healed> {
  const decisions = await readDecisions(await context.histories(), userId);
  const missing = await healCart(context.db, userId, decisions);
  return { carts: 1, decisions: decisions.length, missing, failed: [], delivered: await deliver(context, userId) };
}

/** Heals all carts and shows the progress. */
export async function healEverything(context: OpsContext): Promise<Healed> {
  const progress = context.startProgress('carts healed');
  const result = await healAll(await context.histories(), ({ carts }) => progress.set(carts));
  await progress.stop(`${result.missing} decisions were missing, ${result.failed.length} carts failed`);
  return { ...result, delivered: await deliver(context) };
}

async function deliver(context: OpsContext, userId?: string): Promise<number> {
  const { taskQueue } = context.config.temporal;
  const source = await context.histories();
  const { commands } = await deliverLeftBehind(source, taskQueue, { userId });
  const merged = userId === undefined ? await createMergeSweep(source, taskQueue)() : 0;
  return commands + merged;
}

export function describeHealed({ carts, decisions, missing, failed, delivered }: Healed): string {
  const summary =
    `${carts} carts, ${decisions} decisions in histories: ${missing} were missing in Postgres.` +
    (delivered > 0 ? ` ${delivered} commands of ended runs were handed to their carts, which decide them.` : '');
  return failed.length > 0 ? `${asTable(failed, ['userId', 'reason'])}\n${summary} See docs/operations.md.` : summary;
}
