import type { Logger } from 'pino';
import { within } from '../timeout';
import { defineRoute, type Route } from './route';
import { aliveShape, readinessShape } from './shapes';

/**
 * What must work before a process receives traffic, by name. A check that fails rejects with the reason. It is logged
 * only, because everybody may ask for health, and the reason names servers.
 */
export type HealthChecks = Readonly<Record<string, () => Promise<unknown>>>;

/** Numbers for operators, by name. They have no effect on readiness. */
export type HealthDetails = Readonly<Record<string, () => Promise<number>>>;

export interface HealthPorts {
  readonly checks: HealthChecks;
  readonly details: HealthDetails;
  readonly logger: Logger;
  /** Once aborted, the process is not ready, so that no new requests are sent to it. */
  readonly stopping?: AbortSignal | undefined;
}

const checkTimeoutMs = 2_000;

export const healthRoutes: readonly Route<HealthPorts>[] = [
  defineRoute(
    {
      name: 'checkLife',
      method: 'get',
      path: '/livez',
      summary: 'Whether the process answers',
      access: 'everybody',
      rate: 'health',
      answers: { 200: { description: 'It does.', body: aliveShape } },
      problems: {},
    },
    async () => ({ status: 200, body: { status: 'alive' } }),
  ),
  defineRoute(
    {
      name: 'checkReadiness',
      method: 'get',
      path: '/readyz',
      summary: 'Whether the process can do its work, with the state of each check',
      access: 'everybody',
      rate: 'health',
      answers: {
        200: { description: 'Every check passes.', body: readinessShape },
        503: { description: 'A check fails, or the process is stopping.', body: readinessShape },
      },
      problems: {},
    },
    async ({ checks, details, logger, stopping }: HealthPorts) => {
      const headers = { 'Cache-Control': 'no-store' };
      if (stopping?.aborted) return { status: 503, headers, body: { status: 'stopping', checks: {} } };
      const [checkStates, detailStates] = await Promise.all([
        statesOf(checks, (name, check) => stateOf(name, check, logger)),
        statesOf(details, (_name, detail) => detailOf(detail)),
      ]);
      const isReady = checkStates.every(([, state]) => state === 'ok');
      const body = {
        status: isReady ? 'ready' : 'not ready',
        checks: Object.fromEntries(checkStates),
        ...(detailStates.length > 0 ? { details: Object.fromEntries(detailStates) } : {}),
      };
      return { status: isReady ? 200 : 503, headers, body };
    },
  ),
];

const statesOf = <Result, State>(
  checks: Readonly<Record<string, () => Promise<Result>>>,
  read: (name: string, check: () => Promise<Result>) => Promise<State>,
): Promise<[string, State][]> =>
  Promise.all(
    Object.entries(checks).map(async ([name, check]): Promise<[string, State]> => [name, await read(name, check)]),
  );

const detailOf = (read: () => Promise<number>): Promise<number | undefined> =>
  within(checkTimeoutMs, read()).catch(() => undefined);

async function stateOf(name: string, check: () => Promise<unknown>, logger: Logger): Promise<'ok' | 'failed'> {
  try {
    await within(checkTimeoutMs, check());
    return 'ok';
  } catch (error) {
    logger.warn({ err: error }, `not ready: ${name}`);
    return 'failed';
  }
}
