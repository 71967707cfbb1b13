import { useEffect, useState } from 'preact/hooks';
import type { TimelineEntry } from '../../../client/src/index.ts';
import { explain } from '../problems.ts';
import { queries } from '../session.ts';

interface Timeline {
  /** All entries so far, oldest first, rejected commands included. */
  readonly entries: readonly TimelineEntry[];
  readonly isComplete: boolean;
  readonly problem: string | undefined;
}

const nothing: Timeline = { entries: [], isComplete: false, problem: undefined };
const pageSize = 500;

/** Everything that was decided about a cart, and what comes. */
export function useTimeline(userId: string): Timeline {
  const [timeline, setTimeline] = useState(nothing);
  useEffect(() => {
    const left = new AbortController();
    setTimeline(nothing);
    const add = (more: readonly TimelineEntry[], isComplete: boolean) =>
      setTimeline(({ entries }) => ({ entries: [...entries, ...more], isComplete, problem: undefined }));
    void followTimeline(userId, add, left.signal).catch((error) => {
      if (!left.signal.aborted) setTimeline((known) => ({ ...known, problem: explain(error) }));
    });
    return () => left.abort();
  }, [userId]);
  return timeline;
}

async function followTimeline(
  userId: string,
  add: (more: readonly TimelineEntry[], isComplete: boolean) => void,
  signal: AbortSignal,
): Promise<void> {
  let last = { sequence: 0, version: 0 };
  const readNew = async () => {
    const untilLeft = { signal, timeoutMs: Number.POSITIVE_INFINITY };
    const query = { after: last.sequence, limit: pageSize, rejected: 'include' as const };
    let page: TimelineEntry[] = [];
    for await (const entry of queries.readTimeline(userId, { ...untilLeft, ...query })) {
      page.push(entry);
      last = { sequence: entry.sequence, version: 'version' in entry ? entry.version : last.version };
      if (page.length === pageSize) {
        add(page, false);
        page = [];
      }
    }
    add(page, true);
  };
  await readNew();
  for await (const { version } of queries.followCart(userId, { after: last.version, signal })) {
    if (version > last.version) await readNew();
  }
}
