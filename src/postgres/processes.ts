import type { Knex } from 'knex';

/** What a worker, or a command of the operators, says about itself. */
export interface ProcessReport {
  /** Names the process among all, also among those of the past. */
  readonly name: string;
  /** `worker`, or what a command does: `carts verified`. */
  readonly kind: string;
  readonly startedAt: Date;
  /** Absent while it runs. */
  readonly endedAt?: Date | undefined;
  readonly state: WorkerState | TaskState;
}

/** How long decisions waited for their projection, since the report before. */
export interface WorkerState {
  readonly projected: number;
  readonly medianLagMs: number;
  readonly maxLagMs: number;
}

/** How far a command has come. */
export interface TaskState {
  readonly done: number;
  readonly total?: number | undefined;
  /** What it found, once it has ended. */
  readonly result?: string | undefined;
}

/** Writes a report over the one before of the same process. Those of processes that nobody has heard of go. */
export async function reportProcess(db: Knex, report: ProcessReport): Promise<void> {
  const { name, kind, startedAt, endedAt = null, state } = report;
  await db.raw(
    `with old as (delete from processes where seen_at < now() - interval '30 days')
     insert into processes (name, kind, started_at, ended_at, state) values (?, ?, ?, ?, ?)
     on conflict (name) do update set seen_at = now(), ended_at = excluded.ended_at, state = excluded.state`,
    [name, kind, startedAt, endedAt, JSON.stringify(state)],
  );
}
