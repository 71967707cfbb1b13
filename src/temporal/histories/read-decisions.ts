import { type DecisionRef, isSameDecision, type RecordedDecision, refOf } from '../../domain/handle';
import { markReuse } from '../../domain/recent-commands';
import { identify } from '../../domain/record-command';
import { decisionsIn, type HistoryDecision, nameOf, toldIn } from './decisions';
import type { HistorySource } from './histories';
import { newestFirst } from './newest-first';
import { commandsUndecidedIn, hasLeftBehind } from './received-commands';
import { endOf, type History, originOf } from './runs';

/** What the histories say together that have been added, the newest first. */
function openCollection() {
  const byName = new Map<string, HistoryDecision>();
  const bySequence = new Map<number, Set<string>>();
  const confirmed = new Set<string>();
  let end: DecisionRef | undefined;

  /** Whether a decision was projected: its projection has answered, or another decision or run follows on it. */
  const isShown = ({ status, decision }: HistoryDecision) =>
    status === 'projected' || confirmed.has(nameOf(refOf(decision)));
  const addDecision = (each: HistoryDecision) => {
    const name = nameOf(refOf(each.decision));
    if (each.status === 'projected' && each.predecessor) confirmed.add(nameOf(each.predecessor));
    if (byName.has(name) && each.status !== 'projected') return;
    byName.set(name, each);
    const { sequence } = each.decision;
    bySequence.set(sequence, (bySequence.get(sequence) ?? new Set()).add(name));
  };
  const add = (history: History) => {
    const decisions = decisionsIn(history);
    const { ends, recorded } = toldIn(history);
    for (const each of [...decisions, ...recorded]) addDecision(each);
    for (const each of ends) confirmed.add(nameOf(each));
    const isOpen = endOf(history) === undefined;
    const own = decisions.filter((each) => isShown(each) || (isOpen && each.status === 'open'));
    // The newest run knows where the record ends; an older one may have gone where the record did not.
    end ??= newestOf([...ends, ...own.map(({ decision }) => refOf(decision))]);
  };
  return {
    add,
    isShown,
    /** Where the record ends, as far as the newest run knows that says anything of it. */
    end: () => end,
    decisions: () => [...byName.values()],
    find: (ref: DecisionRef) => byName.get(nameOf(ref)),
    shownAt: (sequence: number) =>
      [...(bySequence.get(sequence) ?? [])].map((name) => byName.get(name)!).filter(isShown),
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
  const following: RecordedDecision[] = [];
  for (let end = last; ; end = refOf(following.at(-1)!)) {
    const next = collection.shownAt((end?.sequence ?? 0) + 1).find((each) => isAfter(end, each));
    if (next === undefined) return following;
    following.push(next.decision);
  }
}

const isAfter = (end: DecisionRef | undefined, { predecessor }: HistoryDecision): boolean =>
  end === undefined || predecessor === undefined || (predecessor !== null && isSameDecision(predecessor, end));

/** All that the histories have of a cart's decisions, branches that the record has left included. */
export interface HistoryRecord {
  readonly projected: readonly RecordedDecision[];
  /** Those of which it is not known, or known not, that they were projected. */
  readonly others: readonly RecordedDecision[];
  readonly runIds: ReadonlySet<string>;
  /** The ids and fingerprints of commands that a run received and of which its history has no decision yet. */
  readonly undecided: ReadonlySet<string>;
  /** Whether any run ended without handing on what it had received. */
  readonly hasLeftRuns: boolean;
}

/** Decisions that were projected, where no history was read. */
export const asProjected = (decisions: readonly RecordedDecision[]): HistoryRecord => ({
  projected: decisions,
  others: [],
  runIds: new Set(),
  undecided: new Set(),
  hasLeftRuns: false,
});

/** Reads every history of a cart. */
export async function readHistoryRecord(source: HistorySource, userId: string): Promise<HistoryRecord> {
  const collection = openCollection();
  const runIds = new Set<string>();
  const undecided = new Set<string>();
  let hasLeftRuns = false;
  for await (const history of newestFirst(source, userId)) {
    collection.add(history);
    runIds.add(originOf(history).runId);
    hasLeftRuns ||= hasLeftBehind(history);
    for (const { command } of commandsUndecidedIn(history)) {
      const { ids, fingerprint } = identify(command);
      for (const id of ids) undecided.add(markReuse(id, fingerprint));
    }
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
    undecided,
    hasLeftRuns,
  };
}
