import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => String(server.address().port));
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/**
 * Starts what `npm start` does, for everybody, on ports and in a folder of its own.
 * @returns its address, the megabytes of memory that it uses now, and a function that stops it.
 */
export async function startSystem() {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'cart-system-'));
  const [PORT, TEMPORAL_PORT, TEMPORAL_UI_PORT, POSTGRES_PORT] = await freePorts(4);
  const own = { PORT, TEMPORAL_PORT, TEMPORAL_UI_PORT, POSTGRES_PORT, CART_DATA_DIR: dataDir, AUTH: 'off' };
  const system = spawn('node', ['dist/src/main.js'], {
    env: { ...process.env, ...own, LOG_LEVEL: 'error' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(system, 'exit');
  const url = `http://127.0.0.1:${PORT}`;
  while (!(await fetch(`${url}/readyz`).catch(() => undefined))?.ok) {
    if (system.exitCode !== null) throw new Error(`The system ended with ${system.exitCode} while it started.`);
    await delay(250);
  }
  return {
    url,
    memory: () => Math.round(Number(spawnSync('ps', ['-o', 'rss=', '-p', String(system.pid)]).stdout) / 1024),
    async stop() {
      system.kill('SIGTERM');
      await ended;
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
