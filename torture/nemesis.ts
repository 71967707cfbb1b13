import { setTimeout as delay } from 'node:timers/promises';
import type { Down, Fault, FaultContext } from './faults/fault';
import { nobody } from './faults/fault';

/** One fault from its injection to the time at which commands had their outcomes again. Times as the recorder's. */
export interface Episode {
  readonly fault: string;
  readonly touches: string;
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
  /** Continues after the time is up until every fault was injected once. */
  readonly isEachOnce: boolean;
  readonly log: (line: string) => void;
}

const recoveryMs = 30_000;

/** Injects faults in a random order until the time is up: one at a time, or two that touch different things. */
export async function runNemesis(options: NemesisOptions, stop: AbortSignal): Promise<Episode[]> {
  const { faults, context, minutes, isEachOnce } = options;
  const { random, recorder } = context;
  const usable = faults.filter(({ leftOut }) => leftOut === undefined);
  const episodes: Episode[] = [];
  const end = recorder.now() + minutes * 60_000;
  let deck: Fault[] = [];
  let isFirstDeck = true;
  await pause(3_000, stop);
  while (!stop.aborted && usable.length > 0 && (recorder.now() < end || (isEachOnce && isFirstDeck))) {
    if (deck.length === 0) deck = random.shuffle(usable);
    const first = deck.pop()!;
    const second = random.chance(0.25) ? deck.find(({ touches }) => touches !== first.touches) : undefined;
    deck = deck.filter((fault) => fault !== second);
    isFirstDeck &&= deck.length > 0;
    const together = [first, ...(second ? [second] : [])];
    episodes.push(...(await Promise.all(together.map((fault) => runEpisode(fault, options, stop)))));
    await pause(random.int(300, 2_000), stop);
  }
  return episodes;
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
  const holdMs = random.int(500, 5_000);
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
  const recoveredAt = await untilRecovered(context, concerned ?? [], stop);
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

/** Sends a command to each of these carts and to one that no fault concerns, until each has its outcome. */
async function untilRecovered(
  { perform, recorder }: FaultContext,
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
  const recovered = await Promise.all([...new Set(['canary', ...concerned])].map(recover));
  return recovered.every(Boolean) ? recorder.now() : undefined;
}
