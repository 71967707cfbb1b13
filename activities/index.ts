import { Context } from '@temporalio/activity';
import type { CartActivities } from '../src/contract/activities';
import type { DeliveryOptions } from '../src/delivery/left-behind';
import { endLostRun } from '../src/delivery/lost-runs';
import { createProjector } from '../src/postgres/projection/group-commits';
import type { HistorySource } from '../src/temporal/histories/histories';
import { readDecisions } from '../src/temporal/histories/read-decisions';
import { createArchiveRun } from './archive-run';
import { createLoadCheckpoint, createReadLeftBehind } from './load-checkpoint';
import { createMergeHandedOver } from './merge-handed-over';
import { createProjectAtOnce, createProjectCart } from './project-cart';

/** All activities of the cart's workflow. */
export function createActivities(source: HistorySource, delivery: DeliveryOptions) {
  const projectInGroups = createProjector(source.db);
  return {
    archiveRun: createArchiveRun(source),
    mergeHandedOver: createMergeHandedOver(source),
    loadCheckpoint: createLoadCheckpoint(source, delivery),
    readLeftBehind: createReadLeftBehind(source, delivery),
    projectCart: createProjectCart(
      source.db,
      projectInGroups,
      (userId, range) => readDecisions(source, userId, range),
      (after) => endLostRun(source, Context.current().info.workflowExecution!, after),
    ),
    projectAtOnce: createProjectAtOnce(source.db, projectInGroups),
  } satisfies CartActivities;
}
