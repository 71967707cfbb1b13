import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { Logger } from 'pino';

/**
 * Sends the SDK's log lines to our logger, and turns off its signal handlers. Call it once, before creating a worker.
 */
export function installRuntime(logger: Logger): void {
  const bridge = new DefaultLogger('WARN', ({ level, message, meta }) => {
    logger[level === 'ERROR' ? 'error' : 'warn']({ ...meta }, message);
  });
  Runtime.install({ logger: bridge, shutdownSignals: [], telemetryOptions: { logging: { forward: {} } } });
}
