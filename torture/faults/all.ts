import { activityFaults } from './activities';
import { buttonFaults } from './buttons';
import { clientFaults } from './clients';
import type { Fault, FaultContext } from './fault';
import { networkFaults } from './network';
import { roleFaults } from './roles';
import { serverFaults } from './servers';
import { signalFaults } from './signals';

/** Every fault that there is. */
export function createFaults(context: FaultContext): Fault[] {
  return [
    ...roleFaults(context),
    ...serverFaults(context),
    ...networkFaults(context),
    ...clientFaults(context),
    ...signalFaults(context),
    ...buttonFaults(context),
    ...activityFaults(context),
  ];
}

/** The names of all faults. No fault uses its context before it is injected. */
export const faultNames = (): string[] => createFaults({} as FaultContext).map(({ name }) => name);

/** The names of what people press in the Web UI, or do with the Temporal CLI. */
export const buttonNames = (): string[] =>
  [signalFaults, buttonFaults, activityFaults].flatMap((create) => create({} as FaultContext)).map(({ name }) => name);

/** Never part of a mix: Temporal forgets what it had accepted. */
export const onlyAlone: readonly string[] = ['delete'];

/**
 * The faults of these names. A name may end in `*`; `all` is every fault that may be in a mix.
 * @throws Error naming what there is, where a name is not known.
 */
export function selectFaults<T extends { readonly name: string }>(faults: readonly T[], names: readonly string[]): T[] {
  const selected = names.flatMap((name) => {
    const matching = faults.filter((fault) => isMeant(name, fault.name));
    if (matching.length > 0) return matching;
    throw new Error(`There is no fault ${name}. There are: all, ${faults.map((fault) => fault.name).join(', ')}`);
  });
  return [...new Set(selected)];
}

function isMeant(name: string, fault: string): boolean {
  const isInMix = !onlyAlone.includes(fault);
  if (name === 'all') return isInMix;
  return name.endsWith('*') ? isInMix && fault.startsWith(name.slice(0, -1)) : fault === name;
}
