import closeWithGrace from 'close-with-grace';
import pino, { type Logger } from 'pino';
import { type Config, loadConfig } from '../config';
import { describeError } from '../describe-error';

/** What the code that starts a process gets. */
export interface Process {
  readonly config: Config;
  readonly logger: Logger;
  /** Aborted when the process begins to stop, before anything is closed. */
  readonly stopping: AbortSignal;
  /** Registers what to close when the process ends. The last one registered is closed first. */
  readonly defer: (close: () => Promise<unknown>) => void;
}

/** Less than the 10 s after which Docker kills a container by default. */
const stopMs = 9_000;

/**
 * Runs a process until a signal or an error ends it, then closes what was deferred. It never rejects. A signal ends it
 * with exit code 0, also if something does not close in time. An error ends it with exit code 1.
 */
export async function runProcess(start: (process: Process) => Promise<void>): Promise<void> {
  const closers: (() => Promise<unknown>)[] = [];
  let hasFailed = false;
  const report = (error: unknown) => {
    hasFailed = true;
    console.error(describeError(error));
  };
  const closeAll = async () => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close().catch(report);
  };
  const stopping = new AbortController();
  const onTimeout = () => {
    if (hasFailed) return;
    console.error(`Not everything was closed within ${stopMs / 1_000} s: ending without it`);
    process.exit(0);
  };
  const handle = closeWithGrace({ delay: stopMs, logger: false, onTimeout }, async ({ err, signal }) => {
    if (err) report(err);
    if (signal) console.error(`${signal}: stopping`);
    stopping.abort();
    await closeAll();
    if (hasFailed) process.exit(1);
  });
  try {
    const config = loadConfig();
    const logger = pino({ level: config.logLevel }, pino.destination({ dest: 2, sync: true }));
    await start({ config, logger, stopping: stopping.signal, defer: (close) => closers.push(close) });
  } catch (error) {
    // A start that was interrupted by a signal can fail because its connections were closed.
    if (stopping.signal.aborted) return;
    report(error);
    process.exitCode = 1;
    handle.uninstall();
    await closeAll();
    process.exit(1);
  }
}
