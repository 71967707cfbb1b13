import pino from 'pino';
import { loadConfig } from './config';
import { runOps } from './ops/cli';
import { openContext } from './ops/context';
import { installRuntime } from './worker/runtime';

void (async () => {
  // What a replay finds is told as its result, not in the SDK's log.
  installRuntime(pino({ level: 'silent' }));
  const status = await runOps(process.argv.slice(2), async () => openContext(loadConfig()));
  // The SDK's runtime would keep the process alive. The empty write comes after all that was printed.
  process.stdout.write('', () => process.exit(status));
})();
