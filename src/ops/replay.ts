import type { CartRun } from '../temporal/histories/histories';
import { loadCartWorkflow, payloadConverterPath } from '../worker/bundle';
import type { OpsContext, RegisterOp } from './context';
import { noHistoryOf, runsOf } from './histories';
import { examples, parseCount, parseId } from './options';
import { replayEach } from './replay-runs';
import { asTable } from './table';

interface Options {
  readonly user?: string;
  readonly sample?: number;
  readonly json?: boolean;
}

/** A run whose recorded history the current workflow code does not reproduce. */
interface BrokenRun {
  readonly userId: string;
  readonly runId: string;
  readonly source: CartRun['source'];
  readonly reason: string;
}

/** `ops replay`: checks that the current workflow code does not break a running cart. */
export const registerReplay: RegisterOp = (program, run) => {
  program
    .command('replay')
    .description('replay live and archived histories against the current code, and report which of them it would break')
    .option('--user <userId>', 'only this cart', parseId)
    .option('--sample <n>', 'only this many carts, chosen at random', parseCount)
    .option('--json', 'print the result as JSON')
    .addHelpText('after', examples('replay', 'replay --sample 200', 'replay --user alice --json'))
    .action((options) => run((context) => replay(context, options)));
};

async function replay(context: OpsContext, { user, sample, json }: Options): Promise<number> {
  const source = await context.histories();
  const options = {
    workflowBundle: await loadCartWorkflow(),
    dataConverter: { payloadConverterPath },
  };
  const progress = context.startProgress('histories replayed');
  const broken: BrokenRun[] = [];
  let replayed = 0;
  await replayEach(options, runsOf(source, user, sample), ({ userId, run }, error) => {
    replayed += 1;
    progress.set(replayed);
    if (error) broken.push({ userId, runId: run.runId, source: run.source, reason: shortReason(error) });
  });
  await progress.stop(`${broken.length} would break`);
  if (replayed === 0 && user !== undefined) throw new Error(noHistoryOf(user));
  context.print(json ? JSON.stringify({ replayed, broken }) : describe(replayed, broken));
  return broken.length > 0 ? 1 : 0;
}

function describe(replayed: number, broken: readonly BrokenRun[]): string {
  const summary = `${replayed} histories replayed: ${broken.length} would break.`;
  return broken.length > 0 ? `${asTable(broken, ['userId', 'runId', 'source', 'reason'])}\n${summary}` : summary;
}

/** The SDK quotes a message of its core, which says what is wrong. */
function shortReason({ message }: Error): string {
  const quoted = /message: ("(?:[^"\\]|\\.)*")/.exec(message)?.[1];
  return quoted === undefined ? message : quoted.slice(1, -1).replace(/\\(.)/g, '$1');
}
