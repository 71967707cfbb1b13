import type { Violation } from '../check/types';
import { isVerifiedInTime, type Report } from './summary';

const shown = 20;

/** Why a run has not passed, for people: one line for each thing. Empty where it has. */
export function explain(report: Report, violations: readonly Violation[]): string[] {
  const { isQuiet, targets, verifiedAfterMs, hasPassed } = report;
  if (hasPassed) return [];
  return [
    ...violations.slice(0, shown).map(describe),
    ...(violations.length > shown ? [`and ${violations.length - shown} more violations`] : []),
    ...targets
      .filter(({ isMet }) => isMet === false)
      .map(({ name, share, atLeast, count }) => `${name}: a share of ${share} of ${count}, at least ${atLeast}`),
    ...(isQuiet ? [] : ['not every acknowledged command had its outcome in time']),
    ...(isVerifiedInTime(verifiedAfterMs) ? [] : [describeVerified(verifiedAfterMs!)]),
  ];
}

const describeVerified = (afterMs: number | null): string =>
  afterMs === null ? 'ops verify found something all the time' : `ops verify found nothing after ${afterMs} ms`;

const describe = ({ kind, cart, commandId, what, operations = [] }: Violation): string => {
  const subject = [cart, commandId].filter((part) => part !== undefined).join(', ');
  const where = operations.length === 0 ? '' : ` (operations ${operations.join(', ')})`;
  return `${kind}${subject === '' ? '' : ` of ${subject}`}: ${what}${where}`;
};
