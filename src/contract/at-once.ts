import { type RecordedDecision, refOf } from '../domain/handle';
import type { StoredBatch } from './activities';
import { bytesOf } from './payload-limits';

/** How many decisions a batch can have that is projected within the task that decided it. */
export const mostAtOnce = 10;
const bytesAtMost = 16 * 1024;

/** Whether a batch is small enough for that. */
export const fitsAtOnce = (decisions: readonly RecordedDecision[]): boolean =>
  decisions.length <= mostAtOnce && bytesOf(decisions) <= bytesAtMost;

/**
 * The last of these decisions: as many as one batch can have that is projected at once.
 * @param decisions all of a cart, or its last ones, one more than `mostAtOnce`.
 */
export function lastAtOnce(decisions: readonly RecordedDecision[]): StoredBatch {
  let first = Math.max(0, decisions.length - mostAtOnce);
  while (first < decisions.length && !fitsAtOnce(decisions.slice(first))) first += 1;
  return { decisions: decisions.slice(first), after: first === 0 ? null : refOf(decisions[first - 1]!) };
}
