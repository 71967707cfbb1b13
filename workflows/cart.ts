import {
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import {
  type CartActivities,
  isLeftBehind,
  isLoadedCart,
  type LeftBehind,
  type LoadedCart,
} from '../src/contract/activities';
import { fitsAtOnce } from '../src/contract/at-once';
import { isCartWorkflowId, userIdOf } from '../src/contract/ids';
import { payloadLimits } from '../src/contract/payload-limits';
import { deliverSignalName } from '../src/contract/signals';
import { type CarriedState, isCarriedState } from '../src/contract/workflow';
import type { IncomingCommand } from '../src/domain/commands';
import { withFacts } from '../src/domain/facts';
import {
  type Checkpoint,
  handleAgain,
  handleAll,
  type RecordedDecision,
  refOf,
  toCarriedCheckpoint,
} from '../src/domain/handle';
import { activityOptions, answerAtOnce, atOnceOptions, canRunAtOnce, untilAnswered } from './activity';
import { takeBatch } from './batch';
import { currentBuild, factsBuild } from './build';
import { type Inbox, openInbox } from './inbox';
import { present } from './presentation';
import { openProjection } from './project';

/** Returns the checkpoint of a running cart, for operators. Storefronts read from Postgres. */
export const checkpointQuery = defineQuery<Checkpoint>('checkpoint');

const deliverSignal = defineSignal(deliverSignalName);

const idlePeriodMs = 30 * 86_400_000;
/** The server allows 10,000 signals in a run, but its suggestion to continue as new does not count signals. */
const signalsPerRun = 2_000;
/** At these limits a run ends even while its projection fails. At 50 MB the server would terminate the workflow. */
const hardLimits = { signals: 6_000, historyEvents: 20_000, historyBytes: 20_000_000 };
const { loadCheckpoint, readLeftBehind, mergeHandedOver, archiveRun } =
  proxyActivities<CartActivities>(activityOptions);
const { loadCheckpoint: loadAtOnce } = proxyLocalActivities<CartActivities>(atOnceOptions);

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
  const isOwn = isCarriedState(carried) && (isEmpty(carried) || continuedFromExecutionRunId !== undefined);
  if (!isOwn) throw notACart('A cart starts with no argument, or with the state of the run that it continues.');
}

const isEmpty = ({ checkpoint, unprojected }: CarriedState): boolean =>
  checkpoint.sequence === 0 && unprojected.length === 0;

const notACart = (message: string): ApplicationFailure => ApplicationFailure.nonRetryable(message, 'NotACart');

async function runCart(inbox: Inbox, carried: CarriedState | undefined): Promise<void> {
  const { workflowId, runId, continuedFromExecutionRunId: previousRunId } = workflowInfo();
  const userId = userIdOf(workflowId);
  const loaded = carried ?? (await loadCart(userId));
  let checkpoint = loaded.checkpoint;
  setHandler(checkpointQuery, () => checkpoint, { description: 'The cart and the number of its decisions' });
  /** While this is true, own commands wait: those that were left behind came before them. */
  let mayBeLeftBehind = false;
  const expectLeftBehind = () => {
    mayBeLeftBehind = true;
  };
  setHandler(deliverSignal, expectLeftBehind, { description: 'Takes over the commands that earlier runs left behind' });
  const project = openProjection(carried === undefined && checkpoint.sequence > 0);
  let unprojected = [...(carried?.unprojected ?? [])];
  /** Whether some of these are of commands that this run did not receive itself. */
  let isTakingOver = unprojected.length > 0;
  /** The last decision before the unprojected ones, as far as this run knows. */
  let projected = carried === undefined ? checkpoint.last : carried.projected;
  let isProjecting = false;
  let isDelivering = false;
  let isArchiving = previousRunId !== undefined;
  let isMerging = false;
  let isIdle = false;

  const context = () => ({ now: new Date().toISOString(), runId, freshId: uuid4 });
  const decideAll = (commands: readonly IncomingCommand[]) => {
    const handled = handleAll(checkpoint, commands, { ...context(), unprojectedCount: unprojected.length });
    checkpoint = handled.checkpoint;
    unprojected.push(...handled.decisions);
  };
  const takeOver = ({ commands, isComplete }: LeftBehind) => {
    isTakingOver ||= commands.length > 0;
    decideAll(currentBuild() >= factsBuild ? commands.map(withFacts) : commands);
    mayBeLeftBehind = !isComplete;
  };
  const deliver = async () => {
    isDelivering = true;
    takeOver(await untilAnswered(() => readLeftBehind(userId), isLeftBehind));
    isDelivering = false;
  };
  const projectBatch = async () => {
    isProjecting = true;
    const decisions = takeBatch(unprojected);
    const isLone = decisions.length === unprojected.length && !isTakingOver && fitsAtOnce(decisions);
    const result = await project({ userId, decisions, ...predecessor() }, isLone);
    if (result.outcome === 'diverged') {
      continueFrom(result.checkpoint);
      if (result.checkpoint.cart.handedOverTo !== undefined) void merge();
    } else {
      unprojected.splice(0, decisions.length);
      projected = refOf(decisions.at(-1)!);
      if (decisions.some(isHandOver)) void merge();
    }
    isTakingOver &&= unprojected.length > 0;
    isProjecting = false;
  };
  const merge = async () => {
    isMerging = true;
    const summary = 'sends what was handed over';
    await untilAnswered(() => mergeHandedOver.executeWithOptions({ summary }, [userId]), isAnything);
    isMerging = false;
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
    const run = { workflowId, runId: previousRunId };
    await untilAnswered(() => archiveRun.executeWithOptions({ summary: `run ${previousRunId}` }, [run]), isAnything);
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
  if ('leftBehind' in loaded) takeOver(loaded.leftBehind);

  for (;;) {
    if (!mayBeLeftBehind || mustContinueAsNew()) decideAll(inbox.take());
    present(userId, checkpoint.cart, unprojected.length);
    const isBusy = isProjecting || isDelivering || isMerging || mayBeLeftBehind;
    if (mustContinueAsNew() || (shouldContinueAsNew() && !isBusy && !isArchiving)) {
      const next = carry();
      if (JSON.stringify(next).length <= payloadLimits.carriedLength) return continueAsNew<typeof cartWorkflow>(next);
    }
    if (isIdle && !isBusy && !isArchiving && unprojected.length === 0) return;
    if (!isProjecting && unprojected.length > 0) void projectBatch();
    if (mayBeLeftBehind && !isProjecting && !isDelivering) void deliver();
    const canEnd = () => !isArchiving && !isMerging && (isIdle || shouldContinueAsNew());
    await condition(() =>
      mayBeLeftBehind
        ? (!isProjecting && !isDelivering) || (inbox.hasCommands() && mustContinueAsNew())
        : inbox.hasCommands() || (!isProjecting && (unprojected.length > 0 || canEnd())),
    );
  }
}

const isHandOver = ({ events }: RecordedDecision): boolean => events.some(({ type }) => type === 'CartHandedOver');

/** What a run that continues no other one begins with. */
async function loadCart(userId: string): Promise<LoadedCart> {
  const atOnce = canRunAtOnce() ? await answerAtOnce(() => loadAtOnce(userId, Date.now())) : undefined;
  const loaded = atOnce ?? (await untilAnswered(() => loadCheckpoint(userId), isLoadedCart));
  return 'checkpoint' in loaded ? loaded : { checkpoint: loaded, leftBehind: { commands: [], isComplete: true } };
}

const isAnything = (_result: unknown): _result is unknown => true;
