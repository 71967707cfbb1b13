import type { LeftBehind } from '../contract/activities';
import { bytesOf, payloadLimits } from '../contract/payload-limits';
import { withoutCut } from '../domain/batch';
import { type IncomingCommand, isMalformed } from '../domain/commands';
import { readDecidedAfter, withoutSequence } from '../postgres/log/recorded';
import { type HistorySource, readHistory } from '../temporal/histories/histories';
import { commandsSignalledTo, type ReceivedCommand } from '../temporal/histories/received-commands';
import type { History } from '../temporal/histories/runs';
import { readLeftRuns } from './left-runs';
import { readUnrecorded } from './unrecorded';

/** How commands that were left behind are judged. */
export interface DeliveryOptions {
  /** How long after Temporal received it a command is still decided. */
  readonly lateAfterMs: number;
}

/** The run that asks for what was left behind. */
export interface Asking extends DeliveryOptions {
  readonly runId: string;
  /** The time by Temporal's clock, as the instants of signals are. */
  readonly now: Date;
}

/**
 * Reads the commands that earlier runs of a cart left behind, as far as they are not on record. Those that are too late
 * are marked as superseded: people who gave up on a command, or gave another one since, must not be surprised by it.
 */
export async function readLeftBehind(source: HistorySource, userId: string, asking: Asking): Promise<LeftBehind> {
  const runs = await readLeftRuns(source, userId, asking.runId);
  const unrecorded = runs.length === 0 ? [] : await readUnrecorded(source, userId, runs);
  const page = takePage(unrecorded);
  const newestAt = await readNewestOnRecord(source, userId, page.filter(isOrdered), runs);
  return {
    commands: page.map((received) => judge(received, newestAt, asking)),
    isComplete: page.length === unrecorded.length,
  };
}

function takePage(commands: readonly ReceivedCommand[]): readonly ReceivedCommand[] {
  let bytes = 0;
  const tooMany = commands.findIndex(({ command }) => {
    bytes += bytesOf(command);
    return bytes > payloadLimits.leftBehindBytes;
  });
  const count = tooMany === -1 ? commands.length : Math.max(1, tooMany);
  return commands.slice(
    0,
    withoutCut(commands.length, count, (index) => placeOf(commands[index]!)),
  );
}

const placeOf = ({ command }: ReceivedCommand) => (isMalformed(command) ? undefined : command.batch);

/** Whether a command means something else after a later one than before it. To add something is as good later. */
const isOrdered = ({ command }: ReceivedCommand): boolean =>
  !isMalformed(command) && command.type !== 'addItem' && command.type !== 'mergeCart';

function judge(received: ReceivedCommand, newestAt: string, { now, lateAfterMs }: Asking): IncomingCommand {
  const { command, receivedAt } = received;
  if (isMalformed(command) || command.type === 'mergeCart') return command;
  const left = `The command was received at ${receivedAt}, and the run that received it ended before it took effect.`;
  if (now.getTime() - Date.parse(receivedAt) > lateAfterMs) {
    return { superseded: command, reason: `${left} It is too late for it now.` };
  }
  if (isOrdered(received) && receivedAt < newestAt) {
    return { superseded: command, reason: `${left} A command that was received later has been decided since.` };
  }
  return command;
}

/**
 * When Temporal received the newest command on record, as far as it decides about these commands.
 * @returns an empty text where none on record is newer than the oldest of them.
 */
async function readNewestOnRecord(
  source: HistorySource,
  userId: string,
  commands: readonly ReceivedCommand[],
  runs: readonly History[],
): Promise<string> {
  const [oldest, newest] = [commands.at(0), commands.at(-1)];
  if (oldest === undefined || newest === undefined) return '';
  const leftBehindAt = instantsOf(runs);
  const instantsByRun = new Map<string, ReadonlyMap<string, string>>();
  let newestAt = '';
  for (const { commandId, runId, decidedAt, isReuse } of await readDecidedAfter(source.db, userId, oldest.receivedAt)) {
    const id = isReuse ? withoutSequence(commandId) : commandId;
    if (!instantsByRun.has(runId)) {
      const history = await readHistory(source, userId, runId);
      instantsByRun.set(runId, instantsOf(history === undefined ? [] : [history]));
    }
    const at = leftBehindAt.get(id) ?? instantsByRun.get(runId)!.get(id) ?? decidedAt;
    if (at > newestAt) newestAt = at;
    if (newestAt > newest.receivedAt) break;
  }
  return newestAt;
}

/** When these runs first received each command, by its id. */
function instantsOf(runs: readonly History[]): Map<string, string> {
  const instants = new Map<string, string>();
  for (const { command, receivedAt } of runs.flatMap(commandsSignalledTo)) {
    const { commandId } = command;
    if (commandId !== undefined && receivedAt < (instants.get(commandId) ?? '~')) instants.set(commandId, receivedAt);
  }
  return instants;
}
