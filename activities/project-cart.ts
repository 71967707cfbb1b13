import type { Knex } from 'knex';
import type { RecordedDecision } from '../src/domain/handle';
import { announceProjection } from '../src/postgres/announcements';
import { project } from '../src/postgres/project';

export interface ProjectCartInput {
  readonly userId: string;
  readonly decisions: readonly RecordedDecision[];
}

/**
 * Projects decisions of one cart into Postgres, all of them or none, and tells who waits for them. Any attempt may run late,
 * twice or beside another: what is there already is left as it is.
 */
export const createProjectCart =
  (db: Knex) =>
  ({ userId, decisions }: ProjectCartInput): Promise<void> =>
    db.transaction(async (trx) => {
      const added = await project(trx, userId, decisions);
      if (added > 0) await announceProjection(trx, userId);
    });
