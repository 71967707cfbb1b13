import closeWithGrace from 'close-with-grace';
import pino, { type Logger } from 'pino';
import { type Config, loadConfig } from '../config';
import { describeError } from '../describe-error';

/** What the code that starts a process gets. */
export interface Process {
  readonly config: Config;
  readonly logger: Logger;
  /** Registers what to close when the process ends. The last one registered is closed first. */
  readonly defer: (close: () => Promise<unknown>) => void;
}

const shutdownMs = 30_000;

/** Runs a process until a signal or an error ends it, then closes what was deferred. It never rejects. */
export async function runProcess(start: (process: Process) => Promise<void>): Promise<void> {
  const closers: (() => Promise<unknown>)[] = [];
  const closeAll = async () => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
  };
  const handle = closeWithGrace({ delay: shutdownMs, logger: false }, async ({ err, signal }) => {
    if (err) console.error(describeError(err));
    if (signal) console.error(`${signal}: stopping`);
    await closeAll();
  });
  try {
    const config = loadConfig();
    const logger = pino({ level: config.logLevel }, pino.destination({ dest: 2, sync: true }));
    await start({ config, logger, defer: (close) => closers.push(close) });
  } catch (error) {
    console.error(describeError(error));
    process.exitCode = 1;
    handle.uninstall();
    await closeAll();
    process.exit(1);
  }
}
