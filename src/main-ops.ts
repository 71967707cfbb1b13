import pino from 'pino';
import { loadConfig } from './config';
import { runOps } from './ops/cli';
import { openContext } from './ops/context';
import { installRuntime } from './temporal/worker';

void (async () => {
  // What a replay finds is told as its result, not in the SDK's log.
  installRuntime(pino({ level: 'silent' }));
  process.exitCode = await runOps(process.argv.slice(2), async () => openContext(loadConfig()));
})();
