import type { CartActivities } from '../src/contract/activities';
import { readDecisions } from '../src/temporal/histories/decisions';
import type { HistorySource } from '../src/temporal/histories/histories';
import { createArchiveRun } from './archive-run';
import { createLoadCheckpoint } from './load-checkpoint';
import { createProjectCart } from './project-cart';

/** All activities of the cart's workflow. */
export const createActivities = (source: HistorySource) =>
  ({
    archiveRun: createArchiveRun(source),
    loadCheckpoint: createLoadCheckpoint(source.db),
    projectCart: createProjectCart(source.db, (userId, range) => readDecisions(source, userId, range)),
  }) satisfies CartActivities;
