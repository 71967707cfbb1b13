import canonicalize from 'canonicalize';
import type { CartEvent } from '../domain/events';
import { fingerprintOf } from '../domain/fingerprint';
import type { RecordedDecision } from '../domain/handle';
import { markReuse } from '../domain/recent-commands';
import { isReuse, reuseOf } from '../postgres/log/recorded';
import { isRecordedAs } from '../postgres/log/rows';
import type { HistoryRecord } from '../temporal/histories/read-decisions';

/** A place where the record does not have what a history has, or a history does not have what the record has. */
type HistoryFinding = { readonly where: 'histories'; readonly what: string } & (
  | { readonly sequence: number }
  | { readonly version: number }
);

/** Which decision of which run this is, whatever else is said of it. */
export const placeOf = ({ sequence, runId, decidedAt }: RecordedDecision): string =>
  [sequence, runId, decidedAt].join(' ');

/** Equal for the same request under the same id, whether it is the command or was rejected as a reuse of the id. */
function requestOf(decision: RecordedDecision): string {
  const { commandId } = decision.command;
  return (isReuse(decision) ? reuseOf : markReuse)(commandId, fingerprintOf(decision.command));
}

/**
 * Compares every field of the decisions on record with the histories. A decision that was projected must be on
 * record. Another one may have been left behind by a run that was reset or terminated; then its command must be on
 * record, a reuse of an id under any sequence. And a decision on record must be in the history of its run, where there
 * is that history.
 * @param isExplained whether it is known why the history of its run does not have a decision on record.
 */
export function checkHistories(
  recorded: readonly RecordedDecision[],
  { projected, others, runIds }: HistoryRecord,
  isExplained: (decision: RecordedDecision) => boolean,
): HistoryFinding[] {
  const bySequence = new Map(recorded.map((decision) => [decision.sequence, decision]));
  const requests = new Set(recorded.map(requestOf));
  const knownReuses = others.filter((decision) => isReuse(decision) && requests.has(requestOf(decision)));
  const commandIds = new Set([...recorded, ...knownReuses].map(({ command }) => command.commandId));
  const places = new Set([...projected, ...others].map(placeOf));
  const compare = (decision: RecordedDecision, isBranch: boolean): HistoryFinding[] => {
    const there = bySequence.get(decision.sequence);
    const isSamePlace = there !== undefined && placeOf(there) === placeOf(decision);
    if (isBranch && !isSamePlace) return commandIds.has(decision.command.commandId) ? [] : [missing(decision)];
    if (there === undefined) return [missing(decision)];
    const isSameCommand = isSamePlace || there.command.commandId === decision.command.commandId;
    return isSameCommand ? differing(decision, there) : [lost(decision)];
  };
  return [
    ...projected.flatMap((decision) => compare(decision, false)),
    ...others.flatMap((decision) => compare(decision, true)),
    ...recorded
      .filter(({ runId }) => runIds.has(runId))
      .filter((decision) => !places.has(placeOf(decision)) && !isExplained(decision))
      .map(unshown),
  ];
}

const found = ({ sequence }: RecordedDecision, what: string): HistoryFinding => ({
  where: 'histories',
  sequence,
  what,
});

const missing = (decision: RecordedDecision): HistoryFinding =>
  found(
    decision,
    `Temporal has decision ${decision.sequence} (${decision.command.commandId}), Postgres does not: run ops heal`,
  );

const lost = (decision: RecordedDecision): HistoryFinding =>
  found(
    decision,
    `fork: decision ${decision.sequence} of run ${decision.runId} (${decision.command.commandId}) was projected, ` +
      'and another one is on record: an older backup was restored, and the cart has gone on without it',
  );

const unshown = (decision: RecordedDecision): HistoryFinding =>
  found(decision, `the history of its run ${decision.runId} does not have this decision`);

/** The fields of a decision but for its events. */
const fields: Readonly<Record<string, (decision: RecordedDecision) => unknown>> = {
  type: ({ command }) => command.type,
  actor: ({ command }) => command.actor,
  'issued at': ({ command }) => command.issuedAt,
  'expected version': ({ command }) => command.expectedVersion ?? null,
  data: ({ command }) => command.data,
  'decided at': ({ decidedAt }) => decidedAt,
  run: ({ runId }) => runId,
  outcome: ({ outcome }) => outcome,
  code: (decision) => (decision.outcome === 'rejected' ? decision.code : null),
  reason: (decision) => (decision.outcome === 'rejected' ? decision.reason : null),
};

/** The names of the fields that are different on record, `events` among them. */
export function differingFields(inHistory: RecordedDecision, onRecord: RecordedDecision): string[] {
  const hasSameEvents = canonicalize(inHistory.events) === canonicalize(onRecord.events);
  return [...differingOwnFields(inHistory, onRecord), ...(hasSameEvents ? [] : ['events'])];
}

function differingOwnFields(inHistory: RecordedDecision, onRecord: RecordedDecision): string[] {
  const names = Object.keys(fields).filter(
    (name) => canonicalize(fields[name]!(inHistory)) !== canonicalize(fields[name]!(onRecord)),
  );
  const isSameId = isRecordedAs(onRecord.command.commandId, inHistory.command.commandId, inHistory.sequence);
  return isSameId ? names : ['command id', ...names];
}

function differing(inHistory: RecordedDecision, onRecord: RecordedDecision): HistoryFinding[] {
  const { command } = inHistory;
  const names = differingOwnFields(inHistory, onRecord);
  const what = `Temporal has ${command.commandId} (${inHistory.outcome}), Postgres ${onRecord.command.commandId} (${onRecord.outcome})`;
  return [
    ...(names.length === 0 ? [] : [found(inHistory, `fork: ${what}; different: ${names.join(', ')}`)]),
    ...differingEvents(inHistory.events, onRecord.events),
  ];
}

function differingEvents(inHistory: readonly CartEvent[], onRecord: readonly CartEvent[]): HistoryFinding[] {
  const [ours, theirs] = [inHistory, onRecord].map((events) => new Map(events.map((event) => [event.version, event])));
  const versions = new Set([...ours!.keys(), ...theirs!.keys()]);
  const different = [...versions].filter(
    (version) => canonicalize(ours!.get(version) ?? null) !== canonicalize(theirs!.get(version) ?? null),
  );
  return different.map((version) => ({
    where: 'histories',
    version,
    what: `fork: Postgres has another event at version ${version} than Temporal (${ours!.get(version)?.type ?? 'none'})`,
  }));
}
