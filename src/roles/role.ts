import type { Logger } from 'pino';
import type { Config } from '../config';
import type { HealthChecks, HealthDetails } from '../http/health';
import type { MakeLimiter } from '../http/rate-limits';
import type { ServedRoute } from '../http/route';
import type { TemporalNamespace } from '../temporal/connection';

/** A running part of the system, with its HTTP routes and its health checks. */
export interface Role {
  readonly routes: readonly ServedRoute[];
  readonly checks: HealthChecks;
  readonly details?: HealthDetails;
  /** Counts requests together with other processes. */
  readonly makeLimiter?: MakeLimiter | undefined;
  close(): Promise<void>;
}

/** The servers and settings of a role. */
export interface RoleOptions {
  readonly temporal: TemporalNamespace & Pick<Config['temporal'], 'taskQueue'>;
  readonly databaseUrl: string;
  /** The address of Temporal's Web UI. If it is set, the timeline links to the runs. */
  readonly webUiUrl?: string | undefined;
  readonly logger: Logger;
  /** Ends the waits of requests when the process begins to stop. */
  readonly stopping?: AbortSignal;
}
