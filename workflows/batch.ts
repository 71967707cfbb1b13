import { bytesOf, payloadLimits } from '../src/contract/payload-limits';
import type { RecordedDecision } from '../src/domain/handle';

const decisionsAtMost = 200;

/** The first decisions that fit into one batch: always one at least, which fits, as one command has bounded size. */
export function takeBatch(decisions: readonly RecordedDecision[]): readonly RecordedDecision[] {
  const first = decisions.slice(0, decisionsAtMost);
  let bytes = 0;
  const tooMany = first.findIndex((decision) => {
    bytes += bytesOf(decision) + 1;
    return bytes > payloadLimits.batchBytes;
  });
  return tooMany === -1 ? first : first.slice(0, Math.max(1, tooMany));
}
