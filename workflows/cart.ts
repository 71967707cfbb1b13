import {
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  proxyActivities,
  setHandler,
  sleep,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { CartActivities } from '../src/contract/activities';
import { isCartWorkflowId, userIdOf } from '../src/contract/ids';
import { type CarriedState, isCarriedState } from '../src/contract/workflow';
import { type Checkpoint, handleAgain, handleAll, refOf, withFingerprints } from '../src/domain/handle';
import { type Inbox, openInbox } from './inbox';
import { present } from './presentation';
import { project } from './project';

/** Where the cart stands; for looking into a running cart. Storefronts read Postgres. */
export const checkpointQuery = defineQuery<Checkpoint>('checkpoint');

const batchSize = 200;
const idlePeriodMs = 30 * 86_400_000;
/** Temporal's own suggestion to continue as new counts no signals, and its server refuses the 10,001st of a run. */
const signalsPerRun = 2_000;
/** From here on a run ends even while a projection is stuck: the server closes runs for good at 50 MB. */
const strained = { signals: 6_000, historyEvents: 20_000, historyBytes: 20_000_000 };
/** Keeps the carried state below the server's 2 MB a payload, even where a character takes three bytes. */
const carriedLength = 500_000;

// No maximumAttempts: a cart outlasts any outage of Postgres.
const retry = { initialInterval: '200ms', maximumInterval: '30s' } as const;
const { loadCheckpoint } = proxyActivities<CartActivities>({ startToCloseTimeout: '10s', retry });
const { archiveRun } = proxyActivities<CartActivities>({ startToCloseTimeout: '1m', retry });

/**
 * One user's cart: takes commands as signals, decides them in order and projects the decisions into Postgres. It ends when
 * nobody used it for 30 days; the next command starts a fresh chain, which goes on from Postgres. A request to cancel it
 * changes nothing, for what was accepted must be kept.
 */
export async function cartWorkflow(carried?: CarriedState): Promise<void> {
  assertStart(carried);
  const inbox = openInbox();
  await CancellationScope.nonCancellable(() => serve(inbox, carried));
}

/** Anybody who can reach Temporal can start this workflow under any id and with any argument. */
function assertStart(carried: unknown): void {
  const { workflowId } = workflowInfo();
  if (!isCartWorkflowId(workflowId)) {
    throw ApplicationFailure.nonRetryable(
      `A cart's workflow id is cart:{userId}; ${workflowId} is not one.`,
      'NotACart',
    );
  }
  if (carried !== undefined && !isCarriedState(carried)) {
    throw ApplicationFailure.nonRetryable(
      'A cart starts with no argument, or with the state of its last run.',
      'NotACart',
    );
  }
}

async function serve(inbox: Inbox, carried: CarriedState | undefined): Promise<void> {
  const { workflowId, runId, continuedFromExecutionRunId: previousRunId } = workflowInfo();
  const userId = userIdOf(workflowId);
  let checkpoint = carried?.checkpoint ?? (await loadCheckpoint(userId));
  setHandler(checkpointQuery, () => checkpoint, { description: 'Where the cart stands' });
  let unprojected = [...(carried?.unprojected ?? [])];
  /** The last decision before the unprojected ones, as far as this run knows. */
  let projected = carried === undefined ? checkpoint.last : carried.projected;
  let isProjecting = false;
  let isArchiving = previousRunId !== undefined;
  let isIdle = false;

  const context = () => ({ now: new Date().toISOString(), runId, freshId: uuid4 });
  const decideInbox = () => {
    const commands = inbox.take();
    const handled = handleAll(checkpoint, commands, { ...context(), unprojectedCount: unprojected.length });
    checkpoint = handled.checkpoint;
    unprojected.push(...handled.decisions);
  };
  const projectBatch = async () => {
    isProjecting = true;
    const decisions = unprojected.slice(0, batchSize);
    const result = await project({ userId, decisions, ...predecessor() });
    if (result.outcome === 'diverged') continueFrom(result.checkpoint);
    else {
      unprojected.splice(0, decisions.length);
      projected = refOf(decisions.at(-1)!);
    }
    isProjecting = false;
  };
  const predecessor = () => (checkpoint.recentFingerprints === undefined ? {} : { after: projected ?? null });
  /** The record went another way than this run: takes it as it is, and decides again what it does not have. */
  const continueFrom = (record: Checkpoint) => {
    const again = handleAgain(record, unprojected, context());
    projected = record.last;
    checkpoint = again.checkpoint;
    unprojected = [...again.decisions];
  };
  const archivePreviousRun = async () => {
    if (previousRunId === undefined) return;
    await archiveRun.executeWithOptions({ summary: `run ${previousRunId}` }, [{ workflowId, runId: previousRunId }]);
    isArchiving = false;
  };
  const isRunLong = () => workflowInfo().continueAsNewSuggested || inbox.received >= signalsPerRun;
  const isRunStrained = () =>
    inbox.received >= strained.signals ||
    workflowInfo().historyLength >= strained.historyEvents ||
    workflowInfo().historySize >= strained.historyBytes;
  const watchIdle = async () => {
    for (let left = idlePeriodMs; left > 0; left = inbox.lastReceivedAt + idlePeriodMs - Date.now()) {
      await sleep(left, { summary: 'ends the run when the cart is idle' });
    }
    isIdle = true;
  };
  void watchIdle();
  void archivePreviousRun();

  for (;;) {
    decideInbox();
    present(userId, checkpoint.cart, unprojected.length);
    if (isRunStrained() || (isRunLong() && !isProjecting && !isArchiving)) {
      const next: CarriedState = {
        schema: 1,
        checkpoint: withFingerprints(checkpoint),
        unprojected,
        ...(projected === undefined ? {} : { projected }),
      };
      if (JSON.stringify(next).length <= carriedLength) return continueAsNew<typeof cartWorkflow>(next);
    }
    if (isIdle && !isArchiving && unprojected.length === 0) return;
    if (!isProjecting && unprojected.length > 0) void projectBatch();
    const mayEnd = () => !isArchiving && (isIdle || isRunLong());
    await condition(() => inbox.hasCommands() || (!isProjecting && (unprojected.length > 0 || mayEnd())));
  }
}
