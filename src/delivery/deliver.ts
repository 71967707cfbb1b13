import { cartWorkflowId, userIdOf } from '../contract/ids';
import { deliverSignalName } from '../contract/signals';
import { type CartWorkflow, cartStartOptions, cartWorkflowType } from '../contract/workflow';
import { refOf } from '../domain/handle';
import { readRefsOfRun } from '../postgres/log/recorded';
import { findSettled, markSettled, settledSince } from '../postgres/settled-runs';
import { signalUntilTaken } from '../temporal/closing-run';
import { archiveRun } from '../temporal/histories/archive-runs';
import { decisionsIn, nameOf } from '../temporal/histories/decisions';
import { forEachAtOnce } from '../temporal/histories/each';
import { type HistorySource, readHistory } from '../temporal/histories/histories';
import { type ListedRun, listRuns } from '../temporal/histories/list-runs';
import { hasLeftBehind } from '../temporal/histories/received-commands';
import { type History, originOf } from '../temporal/histories/runs';
import { readUnrecorded } from './unrecorded';

/** The carts that one pass asked to take over what their earlier runs left behind. */
export interface Delivery {
  readonly userIds: ReadonlySet<string>;
  /** How many commands were not on record, before the carts took them over. */
  readonly commands: number;
  /** When the newest of the ended runs that it looked at ended; undefined where there is none. */
  readonly newestEnd: Date | undefined;
}

interface DeliveryScope {
  /** Only this user's runs. */
  readonly userId?: string | undefined;
  /** Only runs that ended then or later. */
  readonly endedSince?: Date | undefined;
  readonly signal?: AbortSignal | undefined;
}

const runsAtOnce = 8;

/**
 * Looks at the runs that were terminated, failed, timed out or were reset, and asks the carts whose commands are not
 * all on record to take them over; a cart without an open run gets one. The others are archived, and are settled.
 */
export async function deliverLeftBehind(
  source: HistorySource,
  taskQueue: string,
  { userId, endedSince, signal }: DeliveryScope = {},
): Promise<Delivery> {
  const since = endedSince ?? (await settledSince(source.db));
  const userIds = new Set<string>();
  let [commands, newestEnd]: [number, Date | undefined] = [0, undefined];
  const deliver = async ({ workflowId, runId }: ListedRun) => {
    const userId = userIdOf(workflowId);
    const history = await readHistory(source, userId, runId);
    if (history !== undefined && hasLeftBehind(history)) {
      const left = (await readUnrecorded(source, userId, [history])).length;
      if (left > 0) {
        commands += left;
        userIds.add(userId);
        return;
      }
      // The cart's next run is told of them, so that a history has them.
      if (await hasUnshown(source, userId, history)) await askToTakeOver(source, taskQueue, userId);
    }
    await settle(source, workflowId, runId);
  };
  const failures: string[] = [];
  const findKnown = (runIds: readonly string[]) => findSettled(source.db, runIds);
  await forEachAtOnce(listRuns(source.client, queryOf(since, userId), findKnown), runsAtOnce, async (run) => {
    const { workflowId, runId, closeTime, isKnown } = run;
    if (closeTime !== undefined && closeTime > (newestEnd ?? since)) newestEnd = closeTime;
    if (isKnown || signal?.aborted) return;
    // A run that cannot be read keeps no other cart waiting.
    await deliver(run).catch((error: Error) => failures.push(`run ${runId} of ${workflowId}: ${error.message}`));
  });
  for (const user of userIds) await askToTakeOver(source, taskQueue, user);
  if (failures.length > 0) {
    throw new Error(`${failures.length} ended runs could not be looked at:\n${failures.join('\n')}`);
  }
  return { userIds, commands, newestEnd };
}

/** Temporal's list may get the end of a run later than that of a run that ended after it. */
const listDelayMs = 120_000;

/** Makes a function that delivers as `deliverLeftBehind` does, each time only where runs have ended since the last. */
export function createDeliverySweep(source: HistorySource, taskQueue: string) {
  let endedSince: Date | undefined;
  return async (signal: AbortSignal): Promise<Delivery> => {
    const delivery = await deliverLeftBehind(source, taskQueue, { endedSince, signal });
    const { userIds, newestEnd } = delivery;
    const isDone = userIds.size === 0 && newestEnd !== undefined && !signal.aborted;
    if (isDone) endedSince = new Date(newestEnd.getTime() - listDelayMs);
    return delivery;
  };
}

const queryOf = (since: Date, userId: string | undefined): string =>
  [
    `WorkflowType = '${cartWorkflowType}'`,
    "ExecutionStatus in ('Terminated', 'Failed', 'TimedOut', 'Canceled')",
    `CloseTime >= '${since.toISOString()}'`,
    ...(userId === undefined ? [] : [`WorkflowId = '${cartWorkflowId(userId)}'`]),
  ].join(' and ');

/** Whether a run made decisions on record that its history does not have, as where its worker was killed. */
async function hasUnshown({ db }: HistorySource, userId: string, history: History): Promise<boolean> {
  const shown = new Set(decisionsIn(history).map(({ decision }) => nameOf(refOf(decision))));
  const made = await readRefsOfRun(db, userId, originOf(history).runId);
  return made.some((ref) => !shown.has(nameOf(ref)));
}

async function settle(source: HistorySource, workflowId: string, runId: string): Promise<void> {
  await archiveRun(source, workflowId, runId);
  await markSettled(source.db, runId);
}

async function askToTakeOver({ client }: HistorySource, taskQueue: string, userId: string): Promise<void> {
  const options = { ...cartStartOptions(userId, taskQueue), signal: deliverSignalName, signalArgs: [] as [] };
  await signalUntilTaken(() => client.workflow.signalWithStart<CartWorkflow, []>(cartWorkflowType, options));
}
