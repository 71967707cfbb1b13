import type { Verification } from '../recovery/verify';
import { type VerifyResult, verifyAll, verifyUser } from '../recovery/verify-all';
import type { OpsContext, RegisterOp } from './context';
import { examples, parseCount, parseId } from './options';
import { asTable } from './table';

interface Options {
  readonly user?: string;
  readonly sample?: number;
  readonly json?: boolean;
}

export const registerVerify: RegisterOp = (program, run) => {
  program
    .command('verify')
    .description('compare histories, log, hash chain and read model; exit 1 if they differ')
    .option('--user <userId>', 'only this cart', parseId)
    .option('--sample <n>', 'only this many carts, chosen at random', parseCount)
    .option('--json', 'print the result as JSON')
    .addHelpText('after', examples('verify', 'verify --user alice', 'verify --sample 1000 --json'))
    .action((options: Options) =>
      run(async (context) => {
        const result = await verify(context, options);
        context.print(options.json ? JSON.stringify(result) : describe(result));
        return result.findings.length === 0 ? 0 : 1;
      }),
    );
};

async function verify(context: OpsContext, { user, sample }: Options): Promise<VerifyResult> {
  const source = await context.histories();
  if (user !== undefined) return asResult(await verifyUser(source, user));
  const progress = context.startProgress('carts verified');
  const result = await verifyAll(source, sample, ({ carts }) => progress.set(carts));
  progress.stop();
  return result;
}

const asResult = ({ decisions, events, inHistories, findings }: Verification): VerifyResult => ({
  carts: 1,
  decisions,
  events,
  notInHistories: Math.max(0, decisions - inHistories),
  findings,
});

function describe({ carts, decisions, events, notInHistories, findings }: VerifyResult): string {
  return [
    ...(findings.length > 0 ? [asTable(findings, ['userId', 'where', 'version', 'sequence', 'what'])] : []),
    `${carts} carts, ${decisions} decisions, ${events} events: ${findings.length} findings.`,
    ...(notInHistories > 0
      ? [`${notInHistories} decisions are in no history any more; they were compared with the rest.`]
      : []),
  ].join('\n');
}
