import { projectCartActivity, type RecordEnd, type StoredBatch } from '../../contract/activities';
import { isObject } from '../../contract/objects';
import type { CarriedState } from '../../contract/workflow';
import { type Checkpoint, type DecisionRef, type RecordedDecision, refOf } from '../../domain/handle';
import { payloadConverter } from '../payload-converter';
import type { History, HistoryEvent } from './runs';

/** A decision as a run's history has it. */
export interface HistoryDecision {
  readonly decision: RecordedDecision;
  /**
   * `projected`: its projection has answered, so people may have seen it. `diverged`: the record went another way,
   * and the run decided its command again. `open`: neither is known.
   */
  readonly status: 'projected' | 'diverged' | 'open';
  /** The decision before it; null where there is none, absent where its run did not say. */
  readonly predecessor?: DecisionRef | null;
}

/**
 * The decisions that a run handed to its projection, in the order in which it first did.
 * @throws Error naming the event whose payload is not one of ours.
 */
export function decisionsIn(history: History): HistoryDecision[] {
  const batches = new Map<string, StoredBatch>();
  const found = new Map<string, HistoryDecision>();
  const note = (batch: StoredBatch, status: HistoryDecision['status']) => {
    for (const each of inOrder(batch, status)) found.set(nameOf(refOf(each.decision)), each);
  };
  for (const event of history.events ?? []) {
    const { activityTaskScheduledEventAttributes: scheduled, activityTaskCompletedEventAttributes: completed } = event;
    if (scheduled?.activityType?.name === projectCartActivity) {
      const batch = decode<StoredBatch>(scheduled.input);
      if (!isBatch(batch)) throw new Error(`Event ${event.eventId} of the history has no readable decisions.`);
      batches.set(String(event.eventId), batch);
      note(batch, 'open');
    }
    const batch = completed && batches.get(String(completed.scheduledEventId));
    if (batch) note(batch, statusOf(decode(completed.result)));
    const atOnce = answeredAtOnce(event);
    if (isBatch(atOnce)) note(atOnce, 'projected');
  }
  return [...found.values()];
}

const isBatch = (value: unknown): value is StoredBatch => isObject(value) && Array.isArray(value.decisions);

const inOrder = ({ decisions, after }: StoredBatch, status: HistoryDecision['status']): HistoryDecision[] =>
  decisions.map((decision, index) => {
    const predecessor = index === 0 ? after : refOf(decisions[index - 1]!);
    return { decision, status, ...(predecessor === undefined ? {} : { predecessor }) };
  });

/** What a run was told of the record: by the run before it, when it was loaded, and where the record differed. */
interface Told {
  /** The decisions that were the last on record at some time. */
  readonly ends: readonly DecisionRef[];
  /** Decisions that were on record, whichever run made them: that run may have ended before its history had them. */
  readonly recorded: readonly HistoryDecision[];
}

/** Reads what a run was told of the record. It is a copy: what the run that made a decision says of it counts first. */
export function toldIn({ events }: History): Told {
  const carried = decode<CarriedState>(events![0]!.workflowExecutionStartedEventAttributes?.input);
  const answers = events!.map(
    (event) => answeredAtOnce(event) ?? decode<Answer>(event.activityTaskCompletedEventAttributes?.result),
  );
  const recorded = answers.flatMap((answer) =>
    isBatch(answer?.lastBatch) ? inOrder(answer.lastBatch, 'projected') : [],
  );
  const ends = [carried?.projected, ...answers.map((answer) => answer?.checkpoint?.last ?? answer?.last)];
  return {
    ends: [...ends.filter((end) => end !== undefined), ...recorded.map(({ decision }) => refOf(decision))],
    recorded,
  };
}

/** What the cart's activities can have answered. Before version 0.3.0, loading a cart answered with its checkpoint. */
type Answer = Partial<RecordEnd & Checkpoint>;

/** The SDK's name of the marker in which it keeps what a local activity answered. */
const localActivityMarker = 'core_local_activity';

/** What an activity answered that ran within a task of the run. */
function answeredAtOnce({ markerRecordedEventAttributes: marker }: HistoryEvent): Answer | undefined {
  if (marker?.markerName !== localActivityMarker) return undefined;
  return decode<Answer>(marker.details?.result);
}

/** Two decisions that different runs made at the same place have different names. */
export const nameOf = ({ sequence, commandId, runId, decidedAt }: DecisionRef): string =>
  [sequence, commandId, runId, decidedAt].join(' ');

type Payloads = Parameters<typeof payloadConverter.fromPayload>[0][];

function decode<T>(payloads: { payloads?: Payloads | null } | null | undefined): T | undefined {
  const [payload] = payloads?.payloads ?? [];
  return payload && payloadConverter.fromPayload<T>(payload);
}

/** Projections that ran before there were answers answered nothing. */
function statusOf(result: unknown): HistoryDecision['status'] {
  if (result === undefined || result === null) return 'projected';
  const { outcome } = result as { outcome?: unknown };
  return outcome === 'projected' || outcome === 'diverged' ? outcome : 'open';
}
