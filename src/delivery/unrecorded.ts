import { identify } from '../domain/record-command';
import { type RecordedRef, readRecordedUnder, withoutSequence } from '../postgres/log/recorded';
import { type HistorySource, readHistory } from '../temporal/histories/histories';
import {
  commandsCarriedInto,
  commandsSignalledTo,
  type ReceivedCommand,
} from '../temporal/histories/received-commands';
import { type History, startOf } from '../temporal/histories/runs';

/**
 * The commands that these runs of a cart received and that are not on record: each once, by the time at which Temporal
 * first received it.
 */
export async function readUnrecorded(
  source: HistorySource,
  userId: string,
  runs: readonly History[],
): Promise<ReceivedCommand[]> {
  const signalled = firstOfEach(runs.flatMap(commandsSignalledTo));
  const carried = firstOfEach(runs.flatMap(commandsCarriedInto));
  const missing = await withoutRecorded(source, userId, new Map([...carried, ...signalled]));
  const unseen = new Set([...missing.keys()].filter((name) => !signalled.has(name)));
  for (const [name, command] of await readFirstSignals(source, userId, runs, unseen)) missing.set(name, command);
  return [...missing.values()].sort((a, b) => (a.receivedAt < b.receivedAt ? -1 : a.receivedAt > b.receivedAt ? 1 : 0));
}

/** What two copies of one command have in common. */
const nameOf = ({ command }: ReceivedCommand): string => {
  const { ids, fingerprint } = identify(command);
  return `${fingerprint} ${ids[0]}`;
};

function firstOfEach(commands: readonly ReceivedCommand[]): Map<string, ReceivedCommand> {
  const found = new Map<string, ReceivedCommand>();
  for (const each of commands) {
    const name = nameOf(each);
    const other = found.get(name);
    if (other === undefined || each.receivedAt < other.receivedAt) found.set(name, each);
  }
  return found;
}

async function withoutRecorded(
  { db }: HistorySource,
  userId: string,
  commands: ReadonlyMap<string, ReceivedCommand>,
): Promise<Map<string, ReceivedCommand>> {
  const ids = [...commands.values()].flatMap(({ command }) => identify(command).ids);
  const recorded = new Set((await readRecordedUnder(db, userId, ids)).map(nameOnRecord));
  const isRecorded = ({ command }: ReceivedCommand): boolean => {
    const { ids: own, fingerprint } = identify(command);
    return own.some((id) => recorded.has(`${fingerprint} ${id}`));
  };
  return new Map([...commands].filter(([, each]) => !isRecorded(each)));
}

/** The id that the command came with, and its fingerprint. */
const nameOnRecord = ({ commandId, fingerprint, isReuse }: RecordedRef): string =>
  `${fingerprint} ${isReuse ? withoutSequence(commandId) : commandId}`;

/** Looks for the signals of carried commands in the runs before, as long as there are any. */
async function readFirstSignals(
  source: HistorySource,
  userId: string,
  runs: readonly History[],
  names: ReadonlySet<string>,
): Promise<Map<string, ReceivedCommand>> {
  const found = new Map<string, ReceivedCommand>();
  const isComplete = () => found.size === names.size;
  for (const run of runs) {
    let history: History | undefined = run;
    while (history !== undefined && !isComplete()) {
      const { previousRunId } = startOf(history);
      history = previousRunId === undefined ? undefined : await readHistory(source, userId, previousRunId);
      const signalled = history === undefined ? [] : [...firstOfEach(commandsSignalledTo(history))];
      for (const [name, command] of signalled) if (names.has(name)) found.set(name, command);
    }
  }
  return found;
}
