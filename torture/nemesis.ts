import { setTimeout as delay } from 'node:timers/promises';
import { groupBy } from './check/story';
import { type Down, type Fault, type FaultContext, nobody, type Touches } from './faults/fault';
import type { RoleProcess } from './world/role-process';
import { type RoleName, roleNames } from './world/world';

/** One fault from its injection to the time at which commands had their outcomes again. Times as the recorder's. */
export interface Episode {
  readonly fault: string;
  readonly touches: Touches;
  readonly takesDown?: Down;
  readonly injectedAt: number;
  /** From then on until `healingAt` it is broken as a whole. */
  readonly brokenAt: number;
  readonly healingAt: number;
  readonly healedAt: number;
  /** Undefined where nothing worked again within the time that was given. */
  readonly recoveredAt?: number;
  /** Why it could not be injected. */
  readonly problem?: string;
}

export interface NemesisOptions {
  readonly faults: readonly Fault[];
  readonly context: FaultContext;
  readonly minutes: number;
  /** Continues after the time is up until every fault was injected this often. */
  readonly each: number;
  readonly log: (line: string) => void;
}

const recoveryMs = 30_000;

/** Injects one fault of each lane at a time, in random order, until the time is up. */
export async function runNemesis(options: NemesisOptions, stop: AbortSignal): Promise<Episode[]> {
  const { faults, context, minutes, each } = options;
  const usable = faults.filter(({ leftOut }) => leftOut === undefined);
  const turns = new Map(usable.map((fault) => [fault, 0]));
  const end = context.recorder.now() + minutes * 60_000;
  const isOver = () => stop.aborted || (context.recorder.now() > end && Math.min(...turns.values()) >= each);
  const stage = createStage(stop);
  await pause(3_000, stop);
  const lanes = [...groupBy(usable, ({ touches }) => laneOf(touches)).values()];
  const run = { ...options, turns, isOver, stage };
  const episodes = await Promise.all(lanes.map((lane) => runLane(lane, run, stop)));
  return episodes.flat().sort((one, other) => one.injectedAt - other.injectedAt);
}

/** Faults of one lane are injected one after the other, since they break the same things. */
const laneOf = (touches: Touches): Touches => (touches === 'temporal' || touches === 'clocks' ? 'postgres' : touches);

interface LaneOptions extends NemesisOptions {
  /** How often each fault of every lane had its turn. */
  readonly turns: Map<Fault, number>;
  readonly isOver: () => boolean;
  readonly stage: Stage;
}

/** A lane with few faults waits for the others, so that each fault comes equally often. */
async function runLane(lane: readonly Fault[], options: LaneOptions, stop: AbortSignal): Promise<Episode[]> {
  const { context, turns, isOver, stage } = options;
  const { random } = context;
  const episodes: Episode[] = [];
  while (!isOver()) {
    await pause(random.int(100, 500), stop);
    const least = Math.min(...lane.map((fault) => turns.get(fault)!));
    if (least > Math.min(...turns.values())) continue;
    const fault = random.pick(lane.filter((candidate) => turns.get(candidate) === least));
    const isAlone = fault.takesDown !== undefined && random.chance(0.5);
    const episode = await stage(isAlone, () => runEpisode(fault, options, stop));
    episodes.push(episode);
    // What could not be injected gets other turns, but does not keep the others waiting for ever.
    turns.set(fault, least + (episode.problem === undefined ? 1 : 0.02));
  }
  return episodes;
}

type Stage = (isAlone: boolean, run: () => Promise<Episode>) => Promise<Episode>;

/** Runs episodes of several lanes together, but one that is to be alone without any other: targets need such. */
function createStage(stop: AbortSignal): Stage {
  let running = 0;
  let isReserved = false;
  const until = async (isTrue: () => boolean) => {
    while (!isTrue() && !stop.aborted) await pause(20, stop);
  };
  return async (isAlone, run) => {
    await until(() => !isReserved);
    isReserved = isAlone;
    if (isAlone) await until(() => running === 0);
    running += 1;
    try {
      return await run();
    } finally {
      running -= 1;
      if (isAlone) isReserved = false;
    }
  };
}

export const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  delay(milliseconds, undefined, { signal }).catch(() => undefined);

/** Injects a fault, heals it after a while, and waits until commands have their outcomes again. */
export async function runEpisode(
  fault: Fault,
  { context, log }: Pick<NemesisOptions, 'context' | 'log'>,
  stop: AbortSignal,
): Promise<Episode> {
  const { random, recorder } = context;
  const { name, touches, takesDown } = fault;
  const isLong = takesDown !== undefined || random.chance(0.25);
  const holdMs = isLong ? random.int(1_500, 5_000) : random.int(300, 1_500);
  const injectedAt = recorder.now();
  let problem: string | undefined;
  const concerned = await fault.inject().catch((error: Error) => {
    problem = error.message.trim().slice(0, 300);
    return undefined;
  });
  const brokenAt = recorder.now();
  if (problem === undefined) await pause(touches === 'carts' ? 300 : holdMs, stop);
  const healingAt = recorder.now();
  await fault.heal();
  const healedAt = recorder.now();
  const recoveredAt = await untilRecovered(context, touches, concerned ?? [], stop);
  const took = recoveredAt === undefined ? 'not recovered' : `recovered in ${Math.round(recoveredAt - healedAt)} ms`;
  log(`${name}${concerned ? ` on ${concerned.join(', ')}` : ''}: ${problem ?? took}`);
  return {
    ...{ fault: name, touches, injectedAt, brokenAt, healingAt, healedAt },
    ...(takesDown === undefined ? {} : { takesDown }),
    ...(recoveredAt === undefined ? {} : { recoveredAt }),
    ...(problem === undefined ? {} : { problem }),
  };
}

let canaries = 0;

/**
 * Sends a command to each of these carts and to one that no fault concerns, until each has its outcome, and waits until
 * all processes of the role that the fault touched are ready.
 */
async function untilRecovered(
  { perform, recorder, world }: FaultContext,
  touches: Touches,
  concerned: readonly string[],
  stop: AbortSignal,
): Promise<number | undefined> {
  const deadline = recorder.now() + recoveryMs;
  const recover = async (cart: string) => {
    for (let isBack = false; !isBack; ) {
      if (stop.aborted || recorder.now() > deadline) return false;
      canaries += 1;
      const key = `canary-${canaries}`;
      const ask = { kind: 'command', type: 'removeItem', productId: 'canary', key, waitSeconds: 2 } as const;
      const { status } = await perform(nobody, cart, ask);
      isBack = status === 200;
      if (!isBack) await pause(150, stop);
    }
    return true;
  };
  const becomeReady = async (process: RoleProcess) => {
    while (!(await process.isReady())) {
      if (stop.aborted || recorder.now() > deadline) return false;
      await pause(100, stop);
    }
    return true;
  };
  const processes = roleNames.includes(touches as RoleName) ? world.roles[touches as RoleName] : [];
  const recovered = await Promise.all([
    ...[...new Set(['canary', ...concerned])].map(recover),
    ...processes.map(becomeReady),
  ]);
  return recovered.every(Boolean) ? recorder.now() : undefined;
}
