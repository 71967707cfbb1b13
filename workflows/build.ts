import { workflowInfo } from '@temporalio/workflow';
import { cartBuildOf } from '../src/contract/workflow';

/** The number of the build that does this task, also when the task is replayed. */
export const currentBuild = (): number => cartBuildOf(workflowInfo().currentDeploymentVersion?.buildId);

/** The build from which on lone batches are projected by local activities. */
export const atOnceBuild = 2;
/** The build from which on commands carry facts of the catalogue. */
export const factsBuild = 3;
