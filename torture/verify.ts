import { execFile } from 'node:child_process';
import type { Final } from './check/types';
import { becomes } from './world/servers';
import type { World } from './world/world';

/** The operators' `verify` over all carts: its exit status, and what it printed. */
export function verify({ opsProgram, temporal, postgres }: World): Promise<Final['verify']> {
  const env = {
    ...process.env,
    DATABASE_URL: postgres.current().url,
    TEMPORAL_ADDRESS: temporal.current().address,
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [opsProgram, 'verify', '--json'], { env, timeout: 120_000 }, (error, stdout, stderr) => {
      const status = error === null ? 0 : Number(error.code ?? 2);
      resolve({ status, output: `${stdout}${stderr}`.trim() });
    });
  });
}

/** Resolves to whether `verify` finds nothing before the time is up. */
export const untilVerified = (world: World, timeoutMs: number): Promise<boolean> =>
  becomes(async () => (await verify(world)).status === 0, timeoutMs, 500);
