import pino from 'pino';
import { loadConfig } from './config';
import { runOps } from './ops/cli';
import { openContext } from './ops/context';
import { installRuntime } from './worker/runtime';

void (async () => {
  // `ops replay` reports findings in its result. The SDK's log would only repeat them.
  installRuntime(pino({ level: 'silent' }));
  const status = await runOps(process.argv.slice(2), async () => openContext(loadConfig()));
  // The SDK's runtime keeps the process alive, so it must exit. The callback runs after all output is written.
  process.stdout.write('', () => process.exit(status));
})();
