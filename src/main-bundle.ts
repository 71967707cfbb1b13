import { writeBundle } from './worker/bundle';

/** The last step of the build. A worker that had to bundle the workflow itself would start seconds later. */
void writeBundle();
