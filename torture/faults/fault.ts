import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Behaviour, Perform } from '../clients/clients';
import type { Recorder } from '../clients/recorder';
import type { Random } from '../random';
import type { World } from '../world/world';

const run = promisify(execFile);

/** What a fault breaks. */
export type Touches =
  | ('commands' | 'queries' | 'worker' | 'activities')
  | ('postgres' | 'temporal' | 'clocks')
  | ('carts' | 'clients');

/** What is down as a whole: the targets of availability are measured then. */
export type Down = 'Temporal' | 'Postgres' | 'all workers';

export interface Fault {
  readonly name: string;
  readonly touches: Touches;
  /** What is down from the end of `inject` until `heal`. */
  readonly takesDown?: Down;
  /** Whether it can end a run that has received commands: those have their outcomes only later. */
  readonly endsRuns?: boolean;
  /** Breaks it. @returns the carts that it concerns, where it concerns some and not all. */
  inject(): Promise<readonly string[] | undefined>;
  /** Puts everything back. Also called where nothing was injected. */
  heal(): Promise<void>;
  /** Why it cannot be injected on this machine. */
  readonly leftOut?: string;
}

/** What faults work on. */
export interface FaultContext {
  readonly world: World;
  readonly random: Random;
  readonly behaviour: Behaviour;
  readonly recorder: Recorder;
  readonly perform: Perform;
  /** The carts that clients use. A fault may add some. */
  readonly carts: string[];
}

/** Takes the earlier carts of a fault out of use, so that a long run does not use more and more carts. */
export function replace(carts: string[], earlier: readonly string[], added: readonly string[]): void {
  const others = carts.filter((cart) => !earlier.includes(cart));
  carts.splice(0, carts.length, ...others, ...added);
}

export const nothingToHeal = async (): Promise<void> => undefined;

export const workflowIdOf = (cart: string): string => `cart:${cart}`;

/** Runs the Temporal CLI, as an operator would. @throws Error with what it printed where it fails. */
export async function temporalCli({ world }: FaultContext, ...args: string[]): Promise<string> {
  const { address } = world.temporal.current();
  const { stdout } = await run(world.cliPath, [...args, '--address', address, '--namespace', 'default'], {
    timeout: 10_000,
  });
  return stdout;
}

/** The client number of what is not one of the clients: the canary, and people who press buttons. */
export const nobody = 0;
