import type { RecordedDecision } from '../domain/handle';
import { isRecordedAs } from '../postgres/log/rows';
import { differingFields } from './verify-histories';

/** Why a record cannot be repaired from the histories. */
export class UnrepairableError extends Error {
  override readonly name = 'UnrepairableError';
}

/** What is known of a cart when it is repaired. */
export interface KnownCart {
  /** The decisions on record, by the sequences that their rows have. */
  readonly recorded: readonly RecordedDecision[];
  /** The decisions that belong into the record as far as histories have them. */
  readonly inHistories: readonly RecordedDecision[];
  readonly runIds: ReadonlySet<string>;
  /** The decisions at which verify finds the hash chain broken. */
  readonly brokenAt: ReadonlySet<number>;
}

/** The decisions that replace those on record from the first of them on. */
export interface RepairPlan {
  readonly first: number;
  readonly reasons: readonly string[];
  readonly decisions: readonly RecordedDecision[];
}

/**
 * Plans how the record becomes again what the histories have. A decision whose run is in no history any more stays as
 * it is.
 * @param isAccepted whether to keep also those of which the hash chain says that they were changed.
 * @returns undefined where nothing is to be repaired.
 * @throws UnrepairableError where no history has what is missing or was changed.
 */
export function planRepair(known: KnownCart, isAccepted: boolean): RepairPlan | undefined {
  const { recorded, inHistories, runIds, brokenAt } = known;
  const onRecord = new Map(recorded.map((decision) => [decision.sequence, decision]));
  const shown = new Map(inHistories.map((decision) => [decision.sequence, decision]));
  const last = Math.max(0, ...onRecord.keys(), ...shown.keys());
  const reasons: string[] = [];
  const decisions: RecordedDecision[] = [];
  let first = Number.POSITIVE_INFINITY;
  for (let sequence = 1; sequence <= last; sequence += 1) {
    const there = onRecord.get(sequence);
    const inHistory = shown.get(sequence);
    const chosen = choose(there, inHistory, runIds);
    if (chosen === undefined) throw new UnrepairableError(`Decision ${sequence} is missing, and no history has it.`);
    const isBroken = brokenAt.has(sequence);
    if (isBroken && inHistory === undefined && !isAccepted) {
      throw new UnrepairableError(`Decision ${sequence} was changed, and no history has it any more.`);
    }
    if (chosen !== there || isBroken) {
      first = Math.min(first, sequence);
      reasons.push(`decision ${sequence}: ${describe(there, inHistory, chosen)}`);
    }
    decisions.push(chosen);
  }
  assertVersions(decisions);
  return reasons.length === 0 ? undefined : { first, reasons, decisions: decisions.slice(first - 1) };
}

function choose(
  there: RecordedDecision | undefined,
  inHistory: RecordedDecision | undefined,
  runIds: ReadonlySet<string>,
): RecordedDecision | undefined {
  if (there === undefined || inHistory === undefined) return there ?? inHistory;
  if (differingFields(inHistory, there).length === 0) return there;
  const isSameCommand = isRecordedAs(there.command.commandId, inHistory.command.commandId, there.sequence);
  return isSameCommand || runIds.has(there.runId) ? inHistory : there;
}

function describe(
  there: RecordedDecision | undefined,
  inHistory: RecordedDecision | undefined,
  chosen: RecordedDecision,
): string {
  if (there === undefined) return 'it was missing';
  if (chosen === there) return 'its hash did not fit';
  return `it had another ${differingFields(inHistory!, there).join(', ')} than in its history`;
}

function assertVersions(decisions: readonly RecordedDecision[]): void {
  const events = decisions.flatMap((decision) => decision.events);
  const wrong = events.findIndex(({ version }, index) => version !== index + 1);
  if (wrong !== -1) {
    throw new UnrepairableError(`The event of version ${wrong + 1} is missing, and no history has it.`);
  }
}
