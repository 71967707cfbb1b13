import { Router } from 'express';
import { within } from '../timeout';

/** What must work before a process receives traffic, by name. A check that fails rejects with the reason. */
export type HealthChecks = Readonly<Record<string, () => Promise<unknown>>>;

/** More information for operators, by name. It has no effect on readiness. */
export type HealthDetails = Readonly<Record<string, () => Promise<unknown>>>;

const checkTimeoutMs = 2_000;

/**
 * `GET /livez`: always 200. `GET /readyz`: 200 if every check passes, else 503; the body has each check's result.
 * @param stopping makes `readyz` answer 503 at once, so that no new requests are sent to a process that is stopping.
 */
export function healthRoutes(checks: HealthChecks, details: HealthDetails, stopping?: AbortSignal): Router {
  const router = Router();
  router.get('/livez', (_req, res) => {
    res.json({ status: 'alive' });
  });
  router.get('/readyz', async (_req, res) => {
    if (stopping?.aborted) {
      res.status(503).set('Cache-Control', 'no-store').json({ status: 'stopping', checks: {} });
      return;
    }
    const checkStates = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => [name, await stateOf(check)]),
    );
    const detailStates = await Promise.all(
      Object.entries(details).map(async ([name, read]) => [name, await detailOf(read)]),
    );
    const isReady = checkStates.every(([, state]) => state === 'ok');
    res
      .status(isReady ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .json({
        status: isReady ? 'ready' : 'not ready',
        checks: Object.fromEntries(checkStates),
        ...(detailStates.length > 0 ? { details: Object.fromEntries(detailStates) } : {}),
      });
  });
  return router;
}

const detailOf = (read: () => Promise<unknown>): Promise<unknown> =>
  within(checkTimeoutMs, read()).catch(() => 'unknown');

async function stateOf(check: () => Promise<unknown>): Promise<string> {
  try {
    await within(checkTimeoutMs, check());
    return 'ok';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
