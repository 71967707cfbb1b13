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
import { payloadLimits } from '../src/contract/payload-limits';
import { type CarriedState, isCarriedState } from '../src/contract/workflow';
import { type Checkpoint, handleAgain, handleAll, refOf, toCarriedCheckpoint } from '../src/domain/handle';
import { takeBatch } from './batch';
import { type Inbox, openInbox } from './inbox';
import { present } from './presentation';
import { project } from './project';

/** Returns the checkpoint of a running cart, for operators. Storefronts read from Postgres. */
export const checkpointQuery = defineQuery<Checkpoint>('checkpoint');

const idlePeriodMs = 30 * 86_400_000;
/** The server allows 10,000 signals in a run, but its suggestion to continue as new does not count signals. */
const signalsPerRun = 2_000;
/** At these limits a run ends even while its projection fails. At 50 MB the server would terminate the workflow. */
const hardLimits = { signals: 6_000, historyEvents: 20_000, historyBytes: 20_000_000 };
// No maximumAttempts: the activities are retried until Postgres is back, however long an outage takes.
const retry = { initialInterval: '200ms', maximumInterval: '30s' } as const;
const { loadCheckpoint } = proxyActivities<CartActivities>({ startToCloseTimeout: '10s', retry });
const { archiveRun } = proxyActivities<CartActivities>({ startToCloseTimeout: '1m', retry });

/**
 * One user's cart. It receives commands as signals, decides them in order and projects the decisions into Postgres. It
 * ends after 30 days without a command. The next command starts a new chain, which continues from the checkpoint in
 * Postgres. The workflow ignores cancellation, because commands that it accepted must not be lost.
 */
export async function cartWorkflow(carried?: CarriedState): Promise<void> {
  assertStart(carried);
  const inbox = openInbox();
  await CancellationScope.nonCancellable(() => runCart(inbox, carried));
}

/**
 * Anybody who can reach Temporal can start this workflow under any id and with any argument. Only a run that
 * continues another one may begin with decisions.
 */
function assertStart(carried: unknown): void {
  const { workflowId, continuedFromExecutionRunId } = workflowInfo();
  if (!isCartWorkflowId(workflowId)) throw notACart(`A cart's workflow id is cart:{userId}; ${workflowId} is not one.`);
  if (carried === undefined) return;
  const isOwn =
    isCarriedState(carried) && (carried.checkpoint.sequence === 0 || continuedFromExecutionRunId !== undefined);
  if (!isOwn) throw notACart('A cart starts with no argument, or with the state of the run that it continues.');
}

const notACart = (message: string): ApplicationFailure => ApplicationFailure.nonRetryable(message, 'NotACart');

async function runCart(inbox: Inbox, carried: CarriedState | undefined): Promise<void> {
  const { workflowId, runId, continuedFromExecutionRunId: previousRunId } = workflowInfo();
  const userId = userIdOf(workflowId);
  let checkpoint = carried?.checkpoint ?? (await loadCheckpoint(userId));
  setHandler(checkpointQuery, () => checkpoint, { description: 'The cart and the number of its decisions' });
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
    const decisions = takeBatch(unprojected);
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
  const carry = (): CarriedState => ({
    schema: 1,
    checkpoint: toCarriedCheckpoint(checkpoint, unprojected.length),
    unprojected,
    ...(projected === undefined ? {} : { projected }),
  });
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
      const next = carry();
      if (JSON.stringify(next).length <= payloadLimits.carriedLength) return continueAsNew<typeof cartWorkflow>(next);
    }
    if (isIdle && !isArchiving && unprojected.length === 0) return;
    if (!isProjecting && unprojected.length > 0) void projectBatch();
    const canEnd = () => !isArchiving && (isIdle || shouldContinueAsNew());
    await condition(() => inbox.hasCommands() || (!isProjecting && (unprojected.length > 0 || canEnd())));
  }
}
