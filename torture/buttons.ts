import type { Fault } from './faults/fault';
import { type Episode, type NemesisOptions, pause, runEpisode } from './nemesis';

export interface ButtonOptions extends Omit<NemesisOptions, 'each'> {
  readonly everySeconds: number;
}

/** Presses random buttons at equal distances, however far the earlier ones are, until the time is up. */
export async function pressButtons(options: ButtonOptions, stop: AbortSignal): Promise<Episode[]> {
  const { faults, context, minutes, everySeconds } = options;
  const { random, recorder } = context;
  const usable = faults.filter(({ leftOut }) => leftOut === undefined);
  const pressed = new Set<Fault>();
  // What is pressed of an activity takes Postgres from all workers for a while: one at a time.
  const isFree = (fault: Fault) =>
    !pressed.has(fault) &&
    (fault.touches === 'carts' || ![...pressed].some(({ touches }) => touches === fault.touches));
  const presses: Promise<Episode>[] = [];
  const end = recorder.now() + minutes * 60_000;
  while (!stop.aborted && recorder.now() < end) {
    const free = usable.filter(isFree);
    if (free.length > 0) {
      const fault = random.pick(free);
      pressed.add(fault);
      presses.push(runEpisode(fault, options, stop).finally(() => pressed.delete(fault)));
    }
    await pause(everySeconds * 1_000, stop);
  }
  return Promise.all(presses);
}
