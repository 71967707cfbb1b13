import { bytesOf, payloadLimits } from '../src/contract/payload-limits';
import { type BatchPlace, withoutCut } from '../src/domain/batch';
import type { RecordedDecision } from '../src/domain/handle';

const decisionsAtMost = 200;

/**
 * The first decisions that are projected together: always one at least, which fits, as one command has bounded size.
 * What a client sent as a batch is never cut through; its size is bounded as well.
 */
export function takeBatch(decisions: readonly RecordedDecision[]): readonly RecordedDecision[] {
  const first = decisions.slice(0, decisionsAtMost);
  let bytes = 0;
  const tooMany = first.findIndex((decision) => {
    bytes += bytesOf(decision) + 1;
    return bytes > payloadLimits.batchBytes;
  });
  const count = tooMany === -1 ? first.length : Math.max(1, tooMany);
  return decisions.slice(
    0,
    withoutCut(decisions.length, count, (index) => placeOf(decisions[index]!)),
  );
}

const placeOf = ({ command }: RecordedDecision) => command.data.batch as BatchPlace | undefined;
