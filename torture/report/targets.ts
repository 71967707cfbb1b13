import type { Operation } from '../check/types';
import type { Down } from '../faults/fault';
import type { Episode } from '../nemesis';
import { healTime } from './heal';

/** A promise about what works while something is down, and what was measured of it. */
export interface Target {
  readonly name: string;
  /** How many operations, or faults, it concerns. */
  readonly count: number;
  /** The share of them that kept it; null where there is none. */
  readonly share: number | null;
  /** The least share. */
  readonly atLeast: number;
  /** Null where nothing was measured. */
  readonly isMet: boolean | null;
}

interface Promised {
  readonly name: string;
  readonly down: Down;
  readonly concerns: (operation: Operation) => boolean;
  readonly isKept: (operation: Operation) => boolean;
  readonly atLeast: number;
}

const isRead = ({ ask }: Operation): boolean => ask.kind.startsWith('read');
const isCommand = ({ ask, client }: Operation): boolean => ask.kind === 'command' && client > 0;
const isAnswered = ({ result }: Operation): boolean => result === 'ok';

/** Whether a command was accepted, or rejected for a reason that a system without a fault has as well. */
export const isTaken = ({ result, status }: Operation): boolean =>
  result === 'ok' || (status !== undefined && status < 500);

const unavailableWithinMs = 5_000;
const withoutLookUp: readonly string[] = ['removeItem', 'clearCart', 'changeItemQuantity'];

const promises: readonly Promised[] = [
  { name: 'reads answered', down: 'Temporal', concerns: isRead, isKept: isAnswered, atLeast: 1 },
  {
    name: 'commands not accepted that are answered 503 within 5 s',
    down: 'Temporal',
    concerns: (operation) => isCommand(operation) && !isTaken(operation),
    isKept: ({ status, start, end }) => status === 503 && end - start <= unavailableWithinMs,
    atLeast: 1,
  },
  {
    name: 'commands accepted that need no look-up',
    down: 'Postgres',
    concerns: (operation) =>
      isCommand(operation) && operation.ask.kind === 'command' && withoutLookUp.includes(operation.ask.type),
    isKept: isTaken,
    atLeast: 0.99,
  },
  { name: 'commands accepted', down: 'all workers', concerns: isCommand, isKept: isTaken, atLeast: 1 },
  { name: 'reads answered', down: 'all workers', concerns: isRead, isKept: isAnswered, atLeast: 1 },
];

export function measureTargets(operations: readonly Operation[], episodes: readonly Episode[]): Target[] {
  const injected = episodes.filter(({ problem }) => problem === undefined);
  return [...measurePromises(operations, injected), measureHealing(injected)];
}

const healWithinMs = 10_000;

/** A share of 99 % needs a hundred faults to be measured. */
function measureHealing(injected: readonly Episode[]): Target {
  const inTime = injected.filter((episode) => (healTime(episode, injected) ?? Infinity) <= healWithinMs).length;
  const share = injected.length < 100 ? null : inTime / injected.length;
  return {
    ...{ name: 'faults healed within 10 s', count: injected.length, share, atLeast: 0.99 },
    isMet: share === null ? null : share >= 0.99,
  };
}

/** Measures every promise with the operations that began while exactly one thing was broken, and that was down. */
function measurePromises(operations: readonly Operation[], injected: readonly Episode[]): Target[] {
  return promises.map(({ name, down, concerns, isKept, atLeast }) => {
    const concerned = operations.filter((operation) => concerns(operation) && isDuring(operation, down, injected));
    const share = concerned.length === 0 ? null : concerned.filter(isKept).length / concerned.length;
    return {
      name: `${name} while ${down} ${down === 'all workers' ? 'are' : 'is'} down`,
      count: concerned.length,
      share,
      atLeast,
      isMet: share === null ? null : share >= atLeast,
    };
  });
}

function isDuring({ start, end }: Operation, down: Down, episodes: readonly Episode[]): boolean {
  const own = episodes.find(
    ({ takesDown, brokenAt, healingAt }) => takesDown === down && brokenAt <= start && start <= healingAt,
  );
  return (
    own !== undefined && episodes.every((other) => other === own || other.injectedAt > end || overAt(other) < start)
  );
}

/** Where nothing worked again in time, effects are expected for half a minute. */
const overAt = ({ healedAt, recoveredAt }: Episode): number => recoveredAt ?? healedAt + 30_000;
