import { fingerprintOf } from '../../domain/fingerprint';
import { type DecisionRef, isSameDecision, type RecordedDecision, refOf } from '../../domain/handle';
import { identify } from '../../domain/record-command';
import { decisionsIn, type HistoryDecision, nameOf, toldIn } from './decisions';
import { type HistorySource, readHistory } from './histories';
import { newestFirst } from './newest-first';
import { commandsSignalledTo, hasLeftBehind, type ReceivedCommand } from './received-commands';
import { endOf, type History, originOf } from './runs';

/** What the histories say together that have been added, the newest first. */
function openCollection() {
  const stated = new Map<string, HistoryDecision>();
  const told = new Map<string, HistoryDecision>();
  const bySequence = new Map<number, Set<string>>();
  const confirmed = new Set<string>();
  let end: DecisionRef | undefined;

  /** Whether a decision was projected: its projection has answered, or another decision or run follows on it. */
  const isShown = ({ status, decision }: HistoryDecision) =>
    status === 'projected' || confirmed.has(nameOf(refOf(decision)));
  const addName = ({ decision }: HistoryDecision, name: string) => {
    bySequence.set(decision.sequence, (bySequence.get(decision.sequence) ?? new Set()).add(name));
  };
  const addStated = (each: HistoryDecision) => {
    const name = nameOf(refOf(each.decision));
    if (each.status === 'projected' && each.predecessor) confirmed.add(nameOf(each.predecessor));
    if (stated.has(name) && each.status !== 'projected') return;
    stated.set(name, each);
    addName(each, name);
  };
  const add = (history: History) => {
    const decisions = decisionsIn(history);
    const { ends, recorded } = toldIn(history);
    for (const each of decisions) addStated(each);
    for (const each of ends) confirmed.add(nameOf(each));
    for (const each of recorded) told.set(nameOf(refOf(each.decision)), each);
    const isOpen = endOf(history) === undefined;
    const own = decisions.filter((each) => isShown(each) || (isOpen && each.status === 'open'));
    // The newest run knows where the record ends; an older one may have gone where the record did not.
    end ??= newestOf([...ends, ...own.map(({ decision }) => refOf(decision))]);
  };
  return {
    add,
    /**
     * Takes what runs were told of decisions that no history states. A worker was killed after it projected them; so
     * the run that made them, where its history is still there, must have received their commands.
     */
    async takeTold(hasReceived: (decision: RecordedDecision) => Promise<boolean>) {
      for (const [name, each] of told) {
        if (stated.has(name) || !(await hasReceived(each.decision))) continue;
        stated.set(name, each);
        addName(each, name);
      }
    },
    isShown,
    /** Where the record ends, as far as the newest run knows that says anything of it. */
    end: () => end,
    decisions: () => [...stated.values()],
    find: (ref: DecisionRef) => stated.get(nameOf(ref)),
    shownAt: (sequence: number) =>
      [...(bySequence.get(sequence) ?? [])].map((name) => stated.get(name)!).filter(isShown),
  };
}

const newestOf = (refs: readonly DecisionRef[]): DecisionRef | undefined =>
  refs.reduce<DecisionRef | undefined>(
    (newest, ref) => (newest === undefined || ref.sequence >= newest.sequence ? ref : newest),
    undefined,
  );

/**
 * What to read. `isSwept`: a sweep has just put all closed runs into the archive, so Temporal need not be asked for
 * them.
 */
interface ReadOptions {
  /** Only decisions of a later sequence. */
  readonly after?: number;
  /** Only decisions of an earlier sequence. */
  readonly before?: number;
  readonly isSwept?: boolean;
}

/**
 * The decisions that belong into a cart's record as far as histories have them, in order of sequence, each once. The
 * last is the newest that the newest run knows of; each of the others is the one that the next one follows on. Runs
 * are read only as far back as it takes.
 */
export async function readDecisions(
  source: HistorySource,
  userId: string,
  { after = 0, before = Number.POSITIVE_INFINITY, isSwept = false }: ReadOptions = {},
): Promise<RecordedDecision[]> {
  const collection = openCollection();
  const found: RecordedDecision[] = [];
  let next: { readonly sequence: number; readonly ref?: DecisionRef } | undefined;
  const isDone = () => next !== undefined && next.sequence <= after;
  const follow = () => {
    const end = collection.end();
    next ??= end && { sequence: end.sequence, ref: end };
    while (next !== undefined && !isDone()) {
      const each: HistoryDecision | undefined = next.ref
        ? collection.find(next.ref)
        : collection.shownAt(next.sequence)[0];
      if (each === undefined) return;
      found.push(each.decision);
      const { predecessor } = each;
      const sequence = predecessor === null ? 0 : each.decision.sequence - 1;
      next = predecessor ? { sequence, ref: predecessor } : { sequence };
    }
  };
  for await (const history of newestFirst(source, userId, isSwept)) {
    collection.add(history);
    follow();
    if (isDone()) break;
  }
  if (!isDone()) {
    await collection.takeTold(receivedIn(source, userId));
    follow();
  }
  // Where no history has the next one, those before it may still be of use.
  while (next !== undefined && !isDone()) {
    next = { sequence: next.sequence - 1 };
    follow();
  }
  return found.filter((decision) => decision.sequence < before).reverse();
}

/**
 * The decisions that follow on the record and were shown: they were projected, and Postgres has lost them since, as
 * after restoring an older backup. In order; none where the record has gone on without them.
 * @param last the last decision on record.
 */
export async function readShownAfter(
  source: HistorySource,
  userId: string,
  last: DecisionRef | undefined,
): Promise<RecordedDecision[]> {
  const collection = openCollection();
  for await (const history of newestFirst(source, userId)) {
    collection.add(history);
    if (last !== undefined && collection.find(last) !== undefined) break;
  }
  await collection.takeTold(receivedIn(source, userId));
  const following: RecordedDecision[] = [];
  for (let end = last; ; end = refOf(following.at(-1)!)) {
    const next = collection.shownAt((end?.sequence ?? 0) + 1).find((each) => isAfter(end, each));
    if (next === undefined) return following;
    following.push(next.decision);
  }
}

const isAfter = (end: DecisionRef | undefined, { predecessor }: HistoryDecision): boolean =>
  end === undefined || predecessor === undefined || (predecessor !== null && isSameDecision(predecessor, end));

/** Makes a check whether the run that made a decision received its command; also if that run's history is gone. */
const receivedIn = (source: HistorySource, userId: string) => async (decision: RecordedDecision) => {
  const received = await readReceived(source, userId, decision.runId);
  const fingerprint = fingerprintOf(decision.command);
  return received?.some(({ command }) => identify(command).fingerprint === fingerprint) ?? true;
};

/** Reads the commands that a run received by signals; undefined where its history is gone. */
async function readReceived(source: HistorySource, userId: string, runId: string) {
  const history = await readHistory(source, userId, runId);
  return history && commandsSignalledTo(history);
}

/** All that the histories have of a cart's decisions, branches that the record has left included. */
export interface HistoryRecord {
  readonly projected: readonly RecordedDecision[];
  /** Those of which it is not known, or known not, that they were projected. */
  readonly others: readonly RecordedDecision[];
  readonly runIds: ReadonlySet<string>;
  /** Reads the commands that a run received by signals. */
  readonly receivedBy: (runId: string) => Promise<readonly ReceivedCommand[]>;
  /** Whether any run ended without handing on what it had received. */
  readonly hasLeftRuns: boolean;
}

/** Decisions that were projected, where no history was read. */
export const asProjected = (decisions: readonly RecordedDecision[]): HistoryRecord => ({
  projected: decisions,
  others: [],
  runIds: new Set(),
  receivedBy: async () => [],
  hasLeftRuns: false,
});

/** Reads every history of a cart. */
export async function readHistoryRecord(source: HistorySource, userId: string): Promise<HistoryRecord> {
  const collection = openCollection();
  const runIds = new Set<string>();
  let hasLeftRuns = false;
  for await (const history of newestFirst(source, userId)) {
    collection.add(history);
    runIds.add(originOf(history).runId);
    hasLeftRuns ||= hasLeftBehind(history);
  }
  const decisionsThat = (isWanted: (each: HistoryDecision) => boolean) =>
    collection
      .decisions()
      .filter(isWanted)
      .map(({ decision }) => decision);
  return {
    projected: decisionsThat(collection.isShown),
    others: decisionsThat((each) => !collection.isShown(each)),
    runIds,
    receivedBy: async (runId) => (await readReceived(source, userId, runId)) ?? [],
    hasLeftRuns,
  };
}
