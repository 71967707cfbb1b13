import { type Batch, type LoadedCart, type ProjectionResult, projectCartActivity } from '../../contract/activities';
import type { CarriedState } from '../../contract/workflow';
import { type Checkpoint, type DecisionRef, type RecordedDecision, refOf } from '../../domain/handle';
import { payloadConverter } from '../payload-converter';
import type { History } from './runs';

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
  const note = ({ decisions, after }: StoredBatch, status: HistoryDecision['status']) => {
    for (const [index, decision] of decisions.entries()) {
      const predecessor = index === 0 ? after : refOf(decisions[index - 1]!);
      found.set(nameOf(refOf(decision)), { decision, status, ...(predecessor === undefined ? {} : { predecessor }) });
    }
  };
  for (const event of history.events ?? []) {
    const { activityTaskScheduledEventAttributes: scheduled, activityTaskCompletedEventAttributes: completed } = event;
    if (scheduled?.activityType?.name === projectCartActivity) {
      const batch = decode<StoredBatch>(scheduled.input);
      if (!Array.isArray(batch?.decisions)) {
        throw new Error(`Event ${event.eventId} of the history has no readable decisions.`);
      }
      batches.set(String(event.eventId), batch);
      note(batch, 'open');
    }
    const batch = completed && batches.get(String(completed.scheduledEventId));
    if (batch) note(batch, statusOf(decode(completed.result)));
  }
  return [...found.values()];
}

type StoredBatch = Pick<Batch, 'decisions' | 'after'>;

/**
 * What a run was told to be the last decision on record: by the run before it, when it loaded its checkpoint, and where
 * the record had gone another way. So these were projected, even if the run that made them did not live to know.
 */
export function recordEndsIn({ events }: History): DecisionRef[] {
  const carried = decode<CarriedState>(events![0]!.workflowExecutionStartedEventAttributes?.input);
  const results = events!.map(({ activityTaskCompletedEventAttributes: completed }) =>
    decode<Partial<LoadedCart & ProjectionResult & Checkpoint>>(completed?.result),
  );
  const ends = [carried?.projected, ...results.map((result) => result?.checkpoint?.last ?? result?.last)];
  return ends.filter((end) => end !== undefined);
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
