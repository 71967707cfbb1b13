import type { Router } from 'express';
import type { Logger } from 'pino';
import type { Config } from '../config';
import type { HealthChecks, HealthDetails } from '../http/health';
import type { TemporalNamespace } from '../temporal/connection';

/** A running part of the system: what it serves over HTTP, its health, and how it is closed. */
export interface Role {
  readonly routers: readonly Router[];
  readonly checks: HealthChecks;
  readonly details?: HealthDetails;
  close(): Promise<void>;
}

/** What a role runs on. */
export interface RoleOptions {
  readonly temporal: TemporalNamespace & Pick<Config['temporal'], 'taskQueue'>;
  readonly databaseUrl: string;
  /** Where Temporal's Web UI is, if anywhere; the timeline then links to the runs. */
  readonly webUiUrl?: string | undefined;
  readonly logger: Logger;
}
