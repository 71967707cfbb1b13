import type { CartActivities } from '../src/contract/activities';
import type { DeliveryOptions } from '../src/delivery/left-behind';
import type { HistorySource } from '../src/temporal/histories/histories';
import { readDecisions } from '../src/temporal/histories/read-decisions';
import { createArchiveRun } from './archive-run';
import { createLoadCheckpoint, createReadLeftBehind } from './load-checkpoint';
import { createProjectCart } from './project-cart';

/** All activities of the cart's workflow. */
export const createActivities = (source: HistorySource, delivery: DeliveryOptions) =>
  ({
    archiveRun: createArchiveRun(source),
    loadCheckpoint: createLoadCheckpoint(source, delivery),
    readLeftBehind: createReadLeftBehind(source, delivery),
    projectCart: createProjectCart(source.db, (userId, range) => readDecisions(source, userId, range)),
  }) satisfies CartActivities;
