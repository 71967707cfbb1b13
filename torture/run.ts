import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pressButtons } from './buttons';
import { check } from './check/check';
import type { Violation } from './check/types';
import { products } from './clients/actions';
import { type ClientOptions, createPerform, whileClientsRun } from './clients/clients';
import { send } from './clients/http';
import type { Recorder } from './clients/recorder';
import { writePeriods } from './evidence';
import { createFaults, selectFaults } from './faults/all';
import { bigCartProducts } from './faults/clients';
import { type Fault, type FaultContext, nobody } from './faults/fault';
import { inParallel, readFinal, untilQuiet, usuallyOnTheirWayMs } from './final';
import { clientOptions, inWorld, type WorldRun } from './in-world';
import { type Episode, runNemesis } from './nemesis';
import { createRandom } from './random';
import { toHtml } from './report/html';
import { type Report, summarise } from './report/summary';
import { untilVerified } from './verify';
import type { World } from './world/world';

export interface TortureOptions extends WorldRun {
  readonly minutes: number;
  readonly clients: number;
  readonly carts: number;
  /** Names of faults; see `selectFaults`. */
  readonly faults: readonly string[];
  /** Runs longer where the time is too short to inject every fault this often. */
  readonly each: number;
  /** Presses one of the faults as a button every so many seconds, however far the earlier ones are. */
  readonly everySeconds?: number | undefined;
  /** Ends the run early; everything is closed then. */
  readonly stop?: AbortSignal;
}

export interface TortureResult {
  readonly report: Report;
  readonly violations: readonly Violation[];
}

/** Runs clients and faults against a whole system of its own, waits until everything is quiet, checks, and reports. */
export async function runTorture(options: TortureOptions): Promise<TortureResult> {
  const stop = options.stop ?? new AbortController().signal;
  return inWorld(options, (world, recorder) => tortureWorld(world, recorder, options, stop));
}

async function tortureWorld(
  world: World,
  recorder: Recorder,
  options: TortureOptions,
  stop: AbortSignal,
): Promise<TortureResult> {
  const { seed, log, out, everySeconds } = options;
  const context = createContext(world, recorder, options);
  const faults = selectFaults(createFaults(context), options.faults);
  for (const { name, leftOut } of faults) if (leftOut !== undefined) log(`${name} is left out: ${leftOut}`);
  await putProducts(context.commandUrls[0]!);
  if (everySeconds !== undefined) await openCarts(context);
  const episodes = await injectUnderLoad(context, faults, options, stop);
  for (const fault of faults) await fault.heal();
  if (stop.aborted) throw new Error('The run was interrupted.');
  await writeFile(path.join(out, 'episodes.json'), JSON.stringify(episodes));
  const verifiedAfterMs = everySeconds === undefined ? undefined : await measureVerified(context, episodes);
  const isReady = await world.untilReady(60_000);
  const onTheirWayMs = faults.some(({ endsRuns }) => endsRuns) ? lateDeliveryMs : usuallyOnTheirWayMs;
  const isQuiet = isReady && (await untilQuiet(world, recorder.operations, { timeoutMs: 90_000, onTheirWayMs }));
  log(isQuiet ? 'everything is quiet' : 'it did not become quiet; checking all the same');
  const violations = await checkWorld(world, recorder, out);
  const leftOut = faults.flatMap(({ name, leftOut }) => (leftOut === undefined ? [] : [{ name, why: leftOut }]));
  const timed = verifiedAfterMs === undefined ? {} : { verifiedAfterMs };
  const { operations } = recorder;
  const report = summarise({ seed, isQuiet, operations, episodes, violations, leftOut, ...timed });
  await writeFile(path.join(out, 'report.json'), `${JSON.stringify({ ...report, violations }, undefined, 2)}\n`);
  await writeFile(path.join(out, 'report.html'), toHtml(report, operations, episodes, violations));
  return { report, violations };
}

async function checkWorld(world: World, recorder: Recorder, out: string): Promise<readonly Violation[]> {
  const final = await readFinal(world, recorder);
  await writeFile(path.join(out, 'final.json'), JSON.stringify(final));
  const violations = check(recorder.operations, final);
  await writePeriods(world, violations, path.join(out, 'periods.json'));
  return violations;
}

/** Longer than it takes until what an ended run left behind is delivered. */
const lateDeliveryMs = 20_000;

type Context = FaultContext & ClientOptions;

function createContext(world: World, recorder: Recorder, options: TortureOptions): Context {
  const shared = clientOptions(world, recorder, options);
  const random = createRandom(options.seed, 'faults');
  const perform = createPerform(shared, createRandom(options.seed, 'canary'));
  return { ...shared, world, random, perform };
}

/** Puts what the clients buy into the catalogue. */
export async function putProducts(url: string): Promise<void> {
  for (const { productId, ...body } of [...products, ...bigCartProducts]) {
    const { status } = await send(url, { method: 'PUT', path: `/products/${productId}`, body });
    if (status >= 300) throw new Error(`The product ${productId} was answered with ${status}.`);
  }
}

/** A button needs a run: every cart gets a command first. */
async function openCarts({ carts, perform }: Context): Promise<void> {
  const ask = { kind: 'command', type: 'addItem', productId: 'pen', quantity: 1, waitSeconds: 0 } as const;
  await inParallel(carts, (cart) => perform(nobody, cart, { ...ask, key: `open-${cart}` }));
}

function injectUnderLoad(
  context: Context,
  faults: readonly Fault[],
  { clients, minutes, log, each, everySeconds }: TortureOptions,
  stop: AbortSignal,
): Promise<Episode[]> {
  return whileClientsRun(clients, context, stop, () => {
    const options = { faults, context, minutes, log };
    if (everySeconds !== undefined) return pressButtons({ ...options, everySeconds }, stop);
    return runNemesis({ ...options, each }, stop);
  });
}

/** @returns the time from the last press until `ops verify` finds nothing; null where it still does after minutes. */
async function measureVerified({ world, recorder }: Context, episodes: readonly Episode[]): Promise<number | null> {
  const lastPress = Math.max(...episodes.map(({ injectedAt }) => injectedAt));
  const isVerified = await untilVerified(world, 180_000);
  return isVerified ? Math.round(recorder.now() - lastPress) : null;
}
