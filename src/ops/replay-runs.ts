import { PassThrough } from 'node:stream';
import { type ReplayWorkerOptions, Worker } from '@temporalio/worker';
import { cartWorkflowId } from '../contract/ids';
import type { CartRun } from '../temporal/histories/histories';
import type { RunOfUser } from './histories';

/**
 * Replays the runs one after the other.
 * @param report is called once per run: with the reason why it cannot be replayed, or with undefined.
 */
export async function replayEach(
  options: ReplayWorkerOptions,
  runs: AsyncIterable<RunOfUser>,
  report: (run: RunOfUser, error: Error | undefined) => void,
): Promise<void> {
  let replayer: Replayer | undefined;
  try {
    for await (const run of runs) {
      const defect = findDefect(run.run.history);
      if (defect !== undefined) {
        report(run, new Error(defect));
        continue;
      }
      replayer ??= openReplayer(options);
      const { error, isStopped } = await replayer.replay(run);
      report(run, error);
      if (isStopped) replayer = undefined;
    }
  } finally {
    await replayer?.close();
  }
}

/** One worker that replays one history after the other. */
interface Replayer {
  /**
   * @returns the reason why the run cannot be replayed, and whether its history stopped the worker.
   * @throws Error if the worker cannot be started.
   */
  replay(run: RunOfUser): Promise<{ readonly error: Error | undefined; readonly isStopped: boolean }>;
  close(): Promise<void>;
}

function openReplayer(options: ReplayWorkerOptions): Replayer {
  const histories = new PassThrough({ objectMode: true });
  const results = Worker.runReplayHistories(options, histories);
  return {
    async replay({ userId, run }) {
      histories.write({ workflowId: cartWorkflowId(userId), history: run.history });
      try {
        const result = await results.next();
        return { error: result.value.error, isStopped: false };
      } catch (error) {
        // A started worker has taken the history from the stream.
        const hasStarted = histories.readableLength === 0;
        if (!hasStarted) throw error;
        return { error: error as Error, isStopped: true };
      }
    },
    async close() {
      histories.end();
      await results.next();
    },
  };
}

/**
 * Finds what makes a history unreadable. The SDK's core panics on such a history, and its worker then never answers.
 */
function findDefect({ events }: CartRun['history']): string | undefined {
  if (!events?.[0]?.workflowExecutionStartedEventAttributes?.originalExecutionRunId) {
    return 'its first event does not say how the run started';
  }
  const gap = events.findIndex(({ eventId }, index) => Number(eventId) !== index + 1);
  return gap === -1 ? undefined : `event ${gap + 1} is missing`;
}
