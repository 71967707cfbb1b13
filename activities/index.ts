import { readDecisions } from '../src/temporal/decisions';
import type { HistorySource } from '../src/temporal/histories';
import { createArchiveRun } from './archive-run';
import { createLoadCheckpoint } from './load-checkpoint';
import { createProjectCart } from './project-cart';

/** All activities of the cart worker over what they need. */
export const createActivities = (source: HistorySource) => ({
  archiveRun: createArchiveRun(source),
  loadCheckpoint: createLoadCheckpoint(source.db),
  projectCart: createProjectCart(source.db, (userId, after) => readDecisions(source, userId, { after })),
});

export type Activities = ReturnType<typeof createActivities>;
