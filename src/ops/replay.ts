import { type ReplayWorkerOptions, Worker } from '@temporalio/worker';
import { cartWorkflowId } from '../contract/ids';
import type { CartRun } from '../temporal/histories/histories';
import { bundleCartWorkflow, payloadConverterPath } from '../worker/bundle';
import type { OpsContext, RegisterOp } from './context';
import { noHistoryOf, type RunOfUser, runsOf } from './histories';
import { examples, parseCount, parseId } from './options';
import { asTable } from './table';

interface Choice {
  readonly user?: string;
  readonly sample?: number;
  readonly json?: boolean;
}

/** A history that the code at hand would not go through as recorded. */
interface Broken {
  readonly userId: string;
  readonly runId: string;
  readonly source: CartRun['source'];
  readonly reason: string;
}

/** `ops replay`: would the workflow code at hand break a running cart? */
export const registerReplay: RegisterOp = (program, run) => {
  program
    .command('replay')
    .description('replay live and archived histories against the code at hand, and tell which of them it would break')
    .option('--user <userId>', 'of this cart only', parseId)
    .option('--sample <n>', 'of so many carts only, chosen at random', parseCount)
    .option('--json', 'as JSON')
    .addHelpText('after', examples('replay', 'replay --sample 200', 'replay --user alice --json'))
    .action((options) => run((context) => replay(context, options)));
};

async function replay(context: OpsContext, { user, sample, json }: Choice): Promise<number> {
  const source = await context.histories();
  const options = {
    workflowBundle: await bundleCartWorkflow(),
    dataConverter: { payloadConverterPath },
  };
  const progress = context.startProgress('histories replayed');
  const broken: Broken[] = [];
  let replayed = 0;
  await replayEach(options, runsOf(source, user, sample), ({ userId, run }, error) => {
    replayed += 1;
    progress.set(replayed);
    if (error) broken.push({ userId, runId: run.runId, source: run.source, reason: shortly(error) });
  });
  progress.stop();
  if (replayed === 0 && user !== undefined) {
    throw new Error(noHistoryOf(user));
  }
  context.print(json ? JSON.stringify({ replayed, broken }) : describe(replayed, broken));
  return broken.length > 0 ? 1 : 0;
}

function describe(replayed: number, broken: readonly Broken[]): string {
  const summary = `${replayed} histories replayed: ${broken.length} would break.`;
  return broken.length > 0 ? `${asTable(broken, ['userId', 'runId', 'source', 'reason'])}\n${summary}` : summary;
}

/** What the SDK's core said is told in a message within the message. */
function shortly({ message }: Error): string {
  const quoted = /message: ("(?:[^"\\]|\\.)*")/.exec(message)?.[1];
  return quoted === undefined ? message : quoted.slice(1, -1).replace(/\\(.)/g, '$1');
}

/** Replays one run after the other. A history that the worker cannot even take ends that worker; the next one goes on. */
async function replayEach(
  options: ReplayWorkerOptions,
  runs: AsyncIterator<RunOfUser>,
  tell: (run: RunOfUser, error: Error | undefined) => void,
): Promise<void> {
  let isDone = false;
  while (!isDone) {
    let current: RunOfUser | undefined;
    const feed = async function* () {
      for (;;) {
        current = undefined;
        const next = await runs.next();
        isDone = next.done === true;
        if (next.done) return;
        const reason = unusable(next.value.run.history);
        if (reason !== undefined) {
          tell(next.value, new Error(reason));
          continue;
        }
        current = next.value;
        yield { workflowId: cartWorkflowId(current.userId), history: current.run.history };
      }
    };
    try {
      for await (const { error } of Worker.runReplayHistories(options, feed())) tell(current!, error);
    } catch (error) {
      if (current === undefined) throw error;
      tell(current, error as Error);
    }
  }
}

/** Why a history is none at all. The SDK's core panics on such a one, and the worker then waits for it for ever. */
function unusable({ events }: CartRun['history']): string | undefined {
  if (!events?.[0]?.workflowExecutionStartedEventAttributes?.originalExecutionRunId) {
    return 'its first event does not tell how the run started';
  }
  const gap = events.findIndex(({ eventId }, index) => Number(eventId) !== index + 1);
  return gap === -1 ? undefined : `event ${gap + 1} is missing`;
}
