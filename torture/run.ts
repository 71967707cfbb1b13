import { setMaxListeners } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { check } from './check/check';
import type { Violation } from './check/types';
import { products } from './clients/actions';
import { type ClientOptions, createPerform, runClient, usualBehaviour } from './clients/clients';
import { closeConnections, send } from './clients/http';
import { openRecorder } from './clients/recorder';
import { createFaults, selectFaults } from './faults/all';
import { bigCartProducts } from './faults/clients';
import type { FaultContext } from './faults/fault';
import { readFinal, untilQuiet } from './final';
import { type Episode, runNemesis } from './nemesis';
import { createRandom } from './random';
import { toHtml } from './report/html';
import { type Report, summarise } from './report/summary';
import { openWorld, type World } from './world/world';

export interface TortureOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly clients: number;
  readonly carts: number;
  /** Names of faults; see `selectFaults`. */
  readonly faults: readonly string[];
  /** Runs longer where the time is too short to inject every fault once. */
  readonly isEachOnce?: boolean;
  /** Where the history and the reports are written. */
  readonly out: string;
  /** The folder that `npm run build` fills. */
  readonly build: string;
  readonly log: (line: string) => void;
  /** Ends the run early; everything is closed then. */
  readonly stop?: AbortSignal;
}

/** Runs clients and faults against a whole system of its own, waits until everything is quiet, checks, and reports. */
export async function runTorture(options: TortureOptions): Promise<Report> {
  const stop = options.stop ?? new AbortController().signal;
  const logs = path.join(options.out, 'logs');
  await rm(logs, { recursive: true, force: true });
  await mkdir(logs, { recursive: true });
  options.log(`SEED=${options.seed}`);
  const world = await openWorld({ build: options.build, logs, log: options.log });
  try {
    return await tortureWorld(world, options, stop);
  } finally {
    closeConnections();
    await world.close();
  }
}

async function tortureWorld(world: World, options: TortureOptions, stop: AbortSignal): Promise<Report> {
  const { seed, log, out } = options;
  const recorder = openRecorder(path.join(out, 'history.jsonl'));
  const context = createContext(world, recorder, options);
  const faults = selectFaults(createFaults(context), options.faults);
  for (const { name, leftOut } of faults) if (leftOut !== undefined) log(`${name} is left out: ${leftOut}`);
  await putProducts(context.commandUrls[0]!);
  const ending = new AbortController();
  const stopClients = AbortSignal.any([stop, ending.signal]);
  setMaxListeners(0, stop, stopClients);
  const clients = Array.from({ length: options.clients }, (_, index) => runClient(index + 1, context, stopClients));
  const episodes = await runNemesis({ ...options, faults, context, isEachOnce: options.isEachOnce ?? false }, stop);
  ending.abort();
  await Promise.all(clients);
  for (const fault of faults) await fault.heal();
  if (stop.aborted) throw new Error('The run was interrupted.');
  await writeFile(path.join(out, 'episodes.json'), JSON.stringify(episodes));
  const isReady = await world.untilReady(60_000);
  const isQuiet = isReady && (await untilQuiet(world, recorder.operations, 90_000));
  log(isQuiet ? 'everything is quiet' : 'it did not become quiet; checking all the same');
  const final = await readFinal(world, recorder.operations);
  await writeFile(path.join(out, 'final.json'), JSON.stringify(final));
  const violations = check(recorder.operations, final);
  await recorder.close();
  const leftOut = faults.flatMap(({ name, leftOut }) => (leftOut === undefined ? [] : [{ name, why: leftOut }]));
  const report = summarise({ seed, isQuiet, operations: recorder.operations, episodes, violations, leftOut });
  await writeReports(out, report, recorder.operations, episodes, violations);
  return report;
}

type Context = FaultContext & ClientOptions;

function createContext(world: World, recorder: FaultContext['recorder'], options: TortureOptions): Context {
  const shared: ClientOptions & { carts: string[] } = {
    seed: options.seed,
    recorder,
    commandUrls: world.roles.commands.map(({ url }) => url),
    queryUrls: world.roles.queries.map(({ url }) => url),
    carts: Array.from({ length: options.carts }, (_, index) => `cart-${index + 1}`),
    behaviour: { ...usualBehaviour },
    pauseMs: 60,
  };
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

async function writeReports(
  out: string,
  report: Report,
  operations: Parameters<typeof toHtml>[1],
  episodes: readonly Episode[],
  violations: readonly Violation[],
): Promise<void> {
  await writeFile(path.join(out, 'report.json'), `${JSON.stringify({ ...report, violations }, undefined, 2)}\n`);
  await writeFile(path.join(out, 'report.html'), toHtml(report, operations, episodes, violations));
}
