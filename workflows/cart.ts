import {
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
import { userIdOf } from '../src/contract/ids';
import type { CarriedState } from '../src/contract/workflow';
import { type Checkpoint, handle } from '../src/domain/handle';
import { type Inbox, openInbox } from './inbox';
import { present, summarise } from './presentation';

/** Where the cart stands; for looking into a running cart. Storefronts read Postgres. */
export const checkpointQuery = defineQuery<Checkpoint>('checkpoint');

const batchSize = 200;
const idlePeriodMs = 30 * 86_400_000;
/** Temporal's own suggestion to continue as new counts no signals, and its server refuses the 10,001st of a run. */
const signalsPerRun = 2_000;
/** From here on a run ends even while a projection is stuck: the server closes runs for good at 50 MB. */
const hardLimits = { signals: 6_000, historyEvents: 20_000, historyBytes: 20_000_000 };
/** Keeps the carried state below the server's 2 MB a payload, even where a character takes three bytes. */
const maxCarriedLength = 500_000;

// No maximumAttempts: a cart outlasts any outage of Postgres.
const retry = { initialInterval: '200ms', maximumInterval: '30s' } as const;
const { loadCheckpoint, projectCart } = proxyActivities<CartActivities>({ startToCloseTimeout: '10s', retry });
const { archiveRun } = proxyActivities<CartActivities>({ startToCloseTimeout: '1m', retry });

/**
 * One user's cart: takes commands as signals, decides them in order and projects the decisions into Postgres. It ends when
 * nobody used it for 30 days; the next command starts a fresh chain, which goes on from Postgres. A request to cancel it
 * changes nothing, for what was accepted must be kept.
 */
export async function cartWorkflow(carried?: CarriedState): Promise<void> {
  const inbox = openInbox();
  await CancellationScope.nonCancellable(() => runCart(inbox, carried));
}

async function runCart(inbox: Inbox, carried: CarriedState | undefined): Promise<void> {
  const { workflowId, runId, continuedFromExecutionRunId: previousRunId } = workflowInfo();
  const userId = userIdOf(workflowId);
  let checkpoint = carried?.checkpoint ?? (await loadCheckpoint(userId));
  setHandler(checkpointQuery, () => checkpoint, { description: 'Where the cart stands' });
  const unprojected = [...(carried?.unprojected ?? [])];
  let isProjecting = false;
  let isArchiving = previousRunId !== undefined;
  let isIdle = false;

  const decideInbox = () => {
    for (const command of inbox.take()) {
      const step = handle(checkpoint, command, {
        now: new Date().toISOString(),
        runId,
        freshId: uuid4,
        unprojectedCount: unprojected.length,
      });
      checkpoint = step.checkpoint;
      if (step.decision) unprojected.push(step.decision);
    }
  };
  const projectBatch = async () => {
    isProjecting = true;
    const decisions = unprojected.slice(0, batchSize);
    await projectCart.executeWithOptions({ summary: summarise(decisions) }, [{ userId, decisions }]);
    unprojected.splice(0, decisions.length);
    isProjecting = false;
  };
  const archivePreviousRun = async () => {
    if (previousRunId === undefined) return;
    await archiveRun.executeWithOptions({ summary: `run ${previousRunId}` }, [{ workflowId, runId: previousRunId }]);
    isArchiving = false;
  };
  const shouldContinueAsNew = () => workflowInfo().continueAsNewSuggested || inbox.received >= signalsPerRun;
  const mustContinueAsNew = () =>
    inbox.received >= hardLimits.signals ||
    workflowInfo().historyLength >= hardLimits.historyEvents ||
    workflowInfo().historySize >= hardLimits.historyBytes;
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
    if (mustContinueAsNew() || (shouldContinueAsNew() && !isProjecting && !isArchiving)) {
      const next: CarriedState = { schema: 1, checkpoint, unprojected };
      if (JSON.stringify(next).length <= maxCarriedLength) return continueAsNew<typeof cartWorkflow>(next);
    }
    if (isIdle && !isArchiving && unprojected.length === 0) return;
    if (!isProjecting && unprojected.length > 0) void projectBatch();
    const canEnd = () => !isArchiving && (isIdle || shouldContinueAsNew());
    await condition(() => inbox.hasCommands() || (!isProjecting && (unprojected.length > 0 || canEnd())));
  }
}
