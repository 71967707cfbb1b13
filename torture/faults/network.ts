import type { LinkMode } from '../world/proxy';
import { type LinkName, linkNames } from '../world/world';
import type { Fault, FaultContext, Touches } from './fault';

const modes: readonly Exclude<LinkMode, 'pass'>[] = ['cut', 'delay', 'half-open'];

/** What happens to the network between the roles and the servers: `cut-worker-postgres`, `delay-commands-temporal` … */
export function networkFaults(context: FaultContext): Fault[] {
  return modes.flatMap((mode) => linkNames.map((link) => linkFault(context, mode, link)));
}

function linkFault({ world, random }: FaultContext, mode: LinkMode, name: LinkName): Fault {
  return {
    name: `${mode}-${name}`,
    touches: name.split('-')[0] as Touches,
    async inject() {
      world.links[name].set(mode, random.int(50, 500));
      return undefined;
    },
    async heal() {
      world.links[name].set('pass');
    },
  };
}
