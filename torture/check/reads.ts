import { describeOutcome } from './commands';
import { textOf } from './fold';
import type { Found } from './found';
import { cartIn, entriesIn, latestBefore, type Observation, outcomeIn, versionSeenIn } from './observations';
import { groupBy, idsSentBy, isCommand, type Story } from './story';
import type { CartView, Operation, ViolationKind } from './types';

const found = (kind: ViolationKind, operation: Operation, what: string): Found => ({
  kind,
  what,
  operations: [operation.id],
});

/** Reads never go back, neither for one client nor from one client to another. */
export function* checkFreshness({ operations }: Story, observations: readonly Observation[]): Generator<Found> {
  const points = (list: readonly Observation[]) =>
    list.map(({ operation, version }) => ({ time: operation.end, value: version }));
  const known = latestBefore(points(observations));
  const perClient = groupBy(observations, ({ operation }) => operation.client);
  const knownBy = new Map([...perClient].map(([client, list]) => [client, latestBefore(points(list))]));
  for (const operation of operations) {
    const cart = cartIn(operation);
    if (cart === undefined) continue;
    const own = knownBy.get(operation.client)?.(operation.start) ?? 0;
    const others = known(operation.start);
    if (cart.version < own) {
      yield found('read-went-back', operation, `version ${cart.version}, after its client had seen version ${own}`);
    } else if (cart.version < others) {
      yield found('stale-read', operation, `version ${cart.version}, after version ${others} had been answered`);
    }
  }
}

/** An answer is as new as was asked for. */
export function* checkMinimum({ operations, effectsOf }: Story): Generator<Found> {
  for (const operation of operations) {
    const cart = cartIn(operation);
    if (cart === undefined) continue;
    const { ask } = operation;
    if (ask.kind === 'readCart' && ask.minVersion !== undefined && cart.version < ask.minVersion) {
      yield found('min-version', operation, `version ${cart.version} was answered, ${ask.minVersion} was asked for`);
    }
    if (!isCommand(operation)) continue;
    const own = idsSentBy(operation).flatMap((id) => effectsOf.get(id)?.[0]?.versions ?? []);
    if (cart.version < Math.max(0, ...own)) {
      const what = `the answer shows version ${cart.version}, and its command made version ${Math.max(...own)}`;
      yield found('min-version', operation, what);
    }
  }
}

/** What a read shows is what the events fold to, and no newer than what had been sent by then. */
export function* checkContents(story: Story): Generator<Found> {
  const events = story.final.entries.filter(({ version }) => version !== undefined);
  const eventTexts = new Map(events.map((event) => [event.version!, JSON.stringify(essence(event))]));
  for (const operation of story.operations) {
    const cart = cartIn(operation) ?? pastCartIn(operation);
    if (cart !== undefined && textOf(cart) !== story.states.get(cart.version)) {
      const state = story.states.get(cart.version) ?? 'no such version';
      yield found('read-from-nowhere', operation, `it shows ${textOf(cart)}; the events fold to ${state}`);
    }
    for (const entry of entriesIn(operation).filter(({ version }) => version !== undefined)) {
      if (JSON.stringify(essence(entry)) === eventTexts.get(entry.version!)) continue;
      yield found('read-from-nowhere', operation, `the event of version ${entry.version} was another one in the end`);
    }
    yield* checkNotAhead(story, operation);
  }
}

const essence = ({ sequence, version, type, commandId, occurredAt, data }: ReturnType<typeof entriesIn>[number]) => [
  ...[sequence, version, type, commandId, occurredAt],
  // Postgres stores JSON with its keys in an order of its own, which is the same for equal values.
  data,
];

function pastCartIn({ ask, result, status, body }: Operation): CartView | undefined {
  const isPast = ask.kind === 'readVersion' || ask.kind === 'readInstant';
  return isPast && result === 'ok' && status === 200 ? (body as CartView) : undefined;
}

function* checkNotAhead({ sequences, effects, sent }: Story, operation: Operation): Generator<Found> {
  const version = versionSeenIn(operation);
  if (version === 0) return;
  const sequence = sequences.get(version);
  const effect = sequence === undefined ? undefined : bySequence(effects, sequence);
  const senders = effect && sent.get(effect.commandId);
  if (sequence === undefined) {
    yield found('read-from-nowhere', operation, `it shows version ${version}, which the cart does not have`);
  } else if (senders?.every(({ start }) => start > operation.end)) {
    yield found('read-from-nowhere', operation, `it shows version ${version}, whose command was sent only later`);
  }
}

/** Sequences need not begin with 1 in the list: a command that changed nothing has none of its own there. */
function bySequence(effects: Story['effects'], sequence: number) {
  let [low, high] = [0, effects.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const effect = effects[middle]!;
    if (effect.sequence === sequence) return effect;
    if (effect.sequence < sequence) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
}

/** A cart at an instant is what it was after the last event up to that instant, of those that were there to be read. */
export function* checkInstants({ operations, final }: Story, observations: readonly Observation[]): Generator<Found> {
  const times = new Map(final.entries.map(({ version, occurredAt }) => [version, occurredAt]));
  const known = latestBefore(observations.map(({ operation, version }) => ({ time: operation.end, value: version })));
  for (const operation of operations) {
    const { ask, start } = operation;
    const cart = pastCartIn(operation);
    if (ask.kind !== 'readInstant' || cart === undefined) continue;
    const time = times.get(cart.version);
    if (time !== undefined && time > ask.at) {
      yield found('read-from-nowhere', operation, `at ${ask.at} it shows version ${cart.version} of ${time}`);
    }
    const next = times.get(cart.version + 1);
    if (next !== undefined && next <= ask.at && cart.version + 1 <= known(start)) {
      yield found('stale-read', operation, `at ${ask.at} it shows version ${cart.version}, the next is of ${next}`);
    }
  }
}

/** An outcome that was answered once stays as it is. */
export function* checkOutcomeReads({ operations, final }: Story): Generator<Found> {
  const byCommand = groupBy(
    operations.filter(({ ask }) => ask.kind === 'readOutcome'),
    ({ ask }) => (ask.kind === 'readOutcome' ? ask.commandId : ''),
  );
  for (const [commandId, reads] of byCommand) {
    const last = final.outcomes[commandId] ?? null;
    const answers = reads.flatMap((operation) => {
      const outcome = outcomeIn(operation);
      return outcome ? [{ operation, text: describeOutcome(outcome) }] : [];
    });
    for (const { operation, text } of answers) {
      const now = last === null ? 'unknown' : describeOutcome(last);
      if (text === now) continue;
      yield { ...found('outcome-changed', operation, `it was ${text}, and is ${now} in the end`), commandId };
    }
    const since = Math.min(...answers.map(({ operation }) => operation.end));
    const forgotten = reads.find((operation) => outcomeIn(operation) === null && operation.start > since);
    if (forgotten) yield { ...found('outcome-changed', forgotten, 'it was known before, and is not found'), commandId };
  }
}
