import { readFile } from 'node:fs/promises';
import { checkHeads } from '../heads/check-heads';
import { readPublicKey } from '../heads/keys';
import { readList } from '../heads/list';
import type { Finding, Verification } from '../recovery/verify';
import { type VerifyResult, verifyAll, verifyUser } from '../recovery/verify-all';
import type { OpsContext, RegisterOp } from './context';
import { examples, parseCount, parseId } from './options';
import { asTable } from './table';

interface Options {
  readonly user?: string;
  readonly sample?: number;
  readonly heads?: string;
  readonly json?: boolean;
}

export const registerVerify: RegisterOp = (program, run) => {
  program
    .command('verify')
    .description('compare histories, log, hash chain and read model; exit 1 if they differ')
    .option('--user <userId>', 'only this cart', parseId)
    .option('--sample <n>', 'only this many carts, chosen at random', parseCount)
    .option('--heads <file>', 'also compare the hash chains with a signed list of earlier heads')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      examples('verify', 'verify --user alice', 'verify --heads heads.jsonl', 'verify --sample 1000'),
    )
    .action((options: Options) =>
      run(async (context) => {
        const inHeads = await findInHeads(context, options);
        const verified = await verify(context, options);
        const result = { ...verified, findings: [...inHeads, ...verified.findings] };
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
  await progress.stop(`${result.findings.length} findings`);
  return result;
}

/** Fails before anything is verified where the list was changed. */
async function findInHeads({ config, db }: OpsContext, { heads, user }: Options): Promise<Finding[]> {
  if (heads === undefined) return [];
  const publicKey = await readPublicKey(config.heads);
  return checkHeads(db, readList(await readFile(heads, 'utf8'), publicKey), publicKey, user);
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
    ...(notInHistories > 0 ? [`${notInHistories} decisions are chain only: no history has them any more.`] : []),
  ].join('\n');
}
