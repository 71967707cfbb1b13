import { idsSentBy, isCommand, type Story } from './story';
import type { CartView, Entry, Operation, Outcome } from './types';

/** What an answer shows to have happened: the cart has come at least this far. */
export interface Observation {
  readonly operation: Operation;
  /** The newest version that the answer shows, where it shows one. */
  readonly version: number;
  /** The newest decision that the answer shows. */
  readonly sequence: number;
}

/** All observations of a cart, in the order in which their operations ended. */
export function observe(story: Story): Observation[] {
  const observations = story.operations.flatMap((operation) => {
    const version = versionSeenIn(operation);
    const sequence = Math.max(story.sequences.get(version) ?? 0, sequenceSeenIn(story, operation));
    return sequence > 0 || version > 0 ? [{ operation, version, sequence }] : [];
  });
  return observations.sort((one, other) => one.operation.end - other.operation.end);
}

/** The cart that an answer shows as it is now. */
export function cartIn({ ask, result, status, body }: Operation): CartView | undefined {
  const isCart = result === 'ok' && status === 200 && (ask.kind === 'readCart' || ask.kind === 'command');
  return isCart ? (body as CartView) : undefined;
}

/** The newest version of the cart that an answer shows; 0 where it shows none. */
export function versionSeenIn(operation: Operation): number {
  const { ask, result, status, body } = operation;
  if (result !== 'ok') return 0;
  const cart = cartIn(operation);
  if (cart !== undefined) return cart.version;
  switch (ask.kind) {
    case 'readVersion':
    case 'readInstant':
      return status === 200 ? (body as CartView).version : ((body as { newestVersion?: number }).newestVersion ?? 0);
    case 'readEvents':
      return Math.max(0, ...entriesIn(operation).map(({ version }) => version ?? 0));
    case 'readOutcome':
      return Math.max(0, ...(outcomeIn(operation)?.versions ?? []));
    default:
      return 0;
  }
}

export function entriesIn({ ask, result, body }: Operation): readonly Entry[] {
  return ask.kind === 'readEvents' && result === 'ok' ? (body as { events: readonly Entry[] }).events : [];
}

/** The outcome that an answer shows; null where there is none yet, undefined where it says nothing about outcomes. */
export function outcomeIn({ ask, result, status, body }: Operation): Outcome | null | undefined {
  if (ask.kind !== 'readOutcome' || result !== 'ok') return undefined;
  return status === 200 ? (body as Outcome) : null;
}

/** The newest decision of which an answer shows the outcome; 0 where it shows none. */
function sequenceSeenIn({ effectsOf }: Story, operation: Operation): number {
  const { ask, status } = operation;
  const entries = entriesIn(operation).map(({ sequence }) => sequence);
  if (entries.length > 0) return Math.max(...entries);
  const known = ask.kind === 'readOutcome' && outcomeIn(operation) ? [ask.commandId] : [];
  const answered = isCommand(operation) && operation.result === 'ok' && status !== 202 ? idsSentBy(operation) : [];
  const effects = [...known, ...answered].flatMap((id) => effectsOf.get(id) ?? []);
  return Math.max(0, ...effects.map(({ sequence }) => sequence));
}

/** Answers "the largest value so far, before this time" for values with their times in ascending order. */
export function latestBefore(points: readonly { readonly time: number; readonly value: number }[]) {
  const largest: number[] = [];
  for (const { value } of points) largest.push(Math.max(value, largest.at(-1) ?? 0));
  return (time: number): number => {
    let [low, high] = [0, points.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (points[middle]!.time < time) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : largest[low - 1]!;
  };
}
