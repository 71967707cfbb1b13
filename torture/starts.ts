import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createLocalToken, openLocalKeys } from '../src/access/local-keys';
import { freePort } from '../src/embedded/ports';
import { stopOrphanedPostgres } from '../src/embedded/postgres/server';
import { stopOrphanedTemporal } from '../src/embedded/temporal/dev-server';
import { closeConnections, send } from './clients/http';
import { createRandom, type Random } from './random';
import { type Start, type StartReport, summariseStarts } from './report/starts';
import { launchStart, type StartProcess } from './world/start-process';
import { startWatchdog, type Watchdog } from './world/watchdog';

export interface StartsOptions {
  readonly seed: number;
  /** How often everything is started. */
  readonly starts: number;
  /** Where the logs are written. */
  readonly out: string;
  /** The folder that `npm run build` fills. */
  readonly build: string;
  readonly log: (line: string) => void;
  /** Ends the run after the start that is under way. */
  readonly stop: AbortSignal;
}

/** Of the starts: one in four comes after a kill -9, and one in four beside a process that grabs ports. */
const share = 0.25;
const readyWithinMs = 60_000;
/** From its launch. Most starts are ready in half of this time, so a kill comes before or after that. */
const killedWithinMs = 8_000;

/** What every start has in common. */
interface Setting extends StartsOptions {
  readonly random: Random;
  readonly folder: string;
  readonly ports: Readonly<Record<string, number>>;
  readonly watchdog: Watchdog;
}

/**
 * Starts everything again and again on the same data and ports, as `npm start` does, after an ordinary stop or a kill.
 */
export async function runStarts(options: StartsOptions): Promise<StartReport> {
  const { seed, starts, out, log, stop } = options;
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  log(`SEED=${seed}`);
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'cart-starts-')));
  const watchdog = startWatchdog(folder);
  const names = ['PORT', 'TEMPORAL_PORT', 'TEMPORAL_UI_PORT', 'POSTGRES_PORT'];
  const ports = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await freePort()] as const)));
  const random = createRandom(seed, 'starts');
  const setting = { ...options, random, folder, ports, watchdog };
  const numbers = random.shuffle(Array.from({ length: starts }, (_, index) => index + 1));
  const afterKill = new Set(numbers.slice(0, Math.round(starts * share)));
  const done: Start[] = [];
  try {
    for (let number = 1; number <= starts && !stop.aborted; number += 1) {
      const killedAfterMs = afterKill.has(number) ? await startAndKill(setting) : undefined;
      const start = { number, killedAfterMs, ...(await startAndStop(setting)) };
      done.push(start);
      log(JSON.stringify(start));
    }
    return summariseStarts(seed, done);
  } finally {
    closeConnections();
    await stopOrphanedTemporal(path.join(folder, 'temporal.db'), log);
    await stopOrphanedPostgres(path.join(folder, 'postgres'), log);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    watchdog.dismiss();
  }
}

const launch = ({ build, folder, ports, out, watchdog }: Setting): StartProcess =>
  launchStart({
    program: path.join(build, 'src/main.js'),
    folder,
    ports,
    logFile: path.join(out, 'starts.log'),
    watch: watchdog.watch,
  });

/** @returns how long after its launch it was killed. */
async function startAndKill(setting: Setting): Promise<number> {
  const killedAfterMs = setting.random.int(0, killedWithinMs);
  const started = launch(setting);
  const over = new AbortController();
  const shopping = started
    .untilReady(readyWithinMs)
    .then((readyMs) => (readyMs === undefined ? undefined : shop(started.url, setting.folder, over.signal)));
  await delay(killedAfterMs);
  await started.end('SIGKILL');
  over.abort();
  await shopping;
  return killedAfterMs;
}

async function startAndStop(setting: Setting): Promise<Omit<Start, 'number' | 'killedAfterMs'>> {
  const isBesideGrabber = setting.random.chance(share);
  const grabber = isBesideGrabber ? startGrabber(setting) : undefined;
  const started = launch(setting);
  const readyMs = await started.untilReady(readyWithinMs);
  await endGrabber(grabber);
  const stopped = await started.end('SIGTERM');
  const outcome = { isBesideGrabber, readyMs, exitCode: stopped.exitCode, stoppedMs: stopped.ms };
  return readyMs === undefined ? { ...outcome, errors: (await started.errors).trim() } : outcome;
}

/** Gives the servers something to do, so that a kill comes in the middle of it. */
async function shop(url: string, folder: string, over: AbortSignal): Promise<void> {
  const keys = await openLocalKeys(folder);
  const token = await createLocalToken(keys, { subject: 'torture', scopes: ['carts:write'], lifeSeconds: 3_600 });
  const headers = { Authorization: `Bearer ${token}` };
  for (let index = 0; !over.aborted; index += 1) {
    const add = { method: 'POST', path: `/carts/user-${index % 20}/items`, headers, body: { productId: 'mug' } };
    await send(url, add).catch(() => delay(50));
  }
}

function startGrabber({ folder, seed, ports, watchdog }: Setting): ChildProcess {
  const program = path.join(__dirname, 'world/port-grabber.js');
  const spared = Object.values(ports).map(String);
  const grabber = spawn(process.execPath, [program, folder, String(seed), ...spared], { stdio: 'ignore' });
  if (grabber.pid !== undefined) watchdog.watch(grabber.pid);
  return grabber;
}

async function endGrabber(grabber: ChildProcess | undefined): Promise<void> {
  if (grabber === undefined) return;
  const exited = once(grabber, 'exit');
  grabber.kill('SIGKILL');
  await exited;
}
