import { content } from './fold';
import { type CommandOperation, type Effect, idsSentBy, isCommand, type Story } from './story';
import type { CommandAsk, Operation, Outcome, Violation, ViolationKind } from './types';

type Found = Omit<Violation, 'cart'>;

const found = (kind: ViolationKind, commandId: string, what: string, operations: readonly Operation[] = []): Found => ({
  kind,
  commandId,
  what,
  operations: operations.map(({ id }) => id),
});

/** Every acknowledged command has exactly one outcome, an unknown one at most one, a failed one none. */
export function* checkCommands(story: Story): Generator<Found> {
  for (const [commandId, operations] of story.sent) {
    const effects = story.effectsOf.get(commandId) ?? [];
    const outcome = story.final.outcomes[commandId] ?? null;
    if (effects.length > 1) {
      const places = effects.map(({ sequence }) => sequence).join(' and ');
      yield found('doubled-command', commandId, `it was decided ${effects.length} times, as ${places}`, operations);
    }
    const isAcknowledged = operations.some(({ result }) => result === 'ok');
    const isFailed = operations.every(({ result }) => result === 'fail');
    if (isAcknowledged && outcome === null && effects.length === 0) {
      yield found('lost-command', commandId, 'it was acknowledged and has no outcome', operations);
    }
    if (isFailed && (outcome !== null || effects.length > 0)) {
      yield found('failed-but-applied', commandId, 'it was answered as without effect and has an outcome', operations);
    }
    yield* checkOutcome(commandId, outcome, effects);
  }
  yield* checkUnsent(story);
}

/** What is answered about a command and what the timeline shows of it are the same. */
function* checkOutcome(commandId: string, outcome: Outcome | null, effects: readonly Effect[]): Generator<Found> {
  const [effect] = effects;
  if (outcome === null) {
    if (effect !== undefined) yield found('two-outcomes', commandId, 'the timeline has it, the look-up does not');
    return;
  }
  const isRejected = outcome.status === 'rejected';
  if (isRejected && outcome.versions.length > 0) {
    yield found('two-outcomes', commandId, `it is rejected and has the versions ${outcome.versions}`);
  }
  const [said, shown] = [describeOutcome(outcome), describeEffect(effect)];
  const isWithoutTrace = effect === undefined && !isRejected && outcome.versions.length === 0;
  if (said !== shown && !isWithoutTrace) {
    yield found('two-outcomes', commandId, `the look-up says ${said}, the timeline shows ${shown}`);
  }
}

export const describeOutcome = ({ status, code, versions }: Outcome): string =>
  status === 'rejected' ? `rejected ${code}` : `applied ${[...versions].sort((one, other) => one - other)}`;

function describeEffect(effect: Effect | undefined): string {
  if (effect === undefined) return 'nothing';
  return effect.code === undefined ? `applied ${effect.versions}` : `rejected ${effect.code}`;
}

/** Nothing is decided that nobody sent. Commands whose clients do not know their ids are counted. */
function* checkUnsent(story: Story): Generator<Found> {
  const unclaimed = story.effects.filter(({ commandId }) => !story.sent.has(commandId));
  const possible = story.operations.reduce((sum, operation) => sum + anonymous(operation), 0);
  if (unclaimed.length <= possible) return;
  const ids = unclaimed.map(({ commandId }) => commandId);
  const what = `${unclaimed.length} decisions are of commands that nobody is known to have sent; possible are ${possible}`;
  yield found('unsent-command', ids.slice(0, 10).join(' '), what);
}

function anonymous(operation: Operation): number {
  if (operation.ask.kind === 'signal') return operation.ask.others;
  return isCommand(operation) && operation.result !== 'fail' && idsSentBy(operation).length === 0 ? 1 : 0;
}

/** What a command did is what it asked for. */
export function* checkEffects(story: Story): Generator<Found> {
  for (const [commandId, operations] of story.sent) {
    const effect = story.effectsOf.get(commandId)?.[0];
    const outcome = story.final.outcomes[commandId] ?? null;
    for (const operation of operations.filter(isCommand).filter(({ result }) => result === 'ok')) {
      const type = effect?.command ?? outcome?.type;
      const wrong =
        type !== undefined && type !== operation.ask.type
          ? `it was ${operation.ask.type} and is on record as ${type}`
          : effect && mismatch(story, effect, operation.ask);
      if (wrong !== undefined) yield found('other-effect', commandId, wrong, [operation]);
    }
    yield* checkExpectedVersion(commandId, effect, operations.filter(isCommand));
  }
}

/** @returns what the effect has that was not asked for; undefined where it fits. */
function mismatch({ contents }: Story, { entries, code }: Effect, ask: CommandAsk): string | undefined {
  if (code !== undefined) return undefined;
  const { type, data } = entries[0]!;
  const is = (isSo: boolean) => (isSo ? undefined : `${JSON.stringify(ask)} became ${type} ${JSON.stringify(data)}`);
  const isProduct = data.productId === ask.productId;
  const added = (data.quantity as number) - (data.previousQuantity as number);
  switch (ask.type) {
    case 'addItem':
      return is(type === 'ItemAdded' && isProduct && added === ask.quantity);
    case 'changeItemQuantity':
      return is(['ItemQuantityChanged', 'ItemRemoved'].includes(type) && isProduct && data.quantity === ask.quantity);
    case 'removeItem':
      return is(type === 'ItemRemoved' && isProduct);
    case 'clearCart':
      return is(type === 'CartCleared');
    case 'checkOut':
      return is(type === 'CartCheckedOut');
    case 'restoreCart': {
      const isVersion = type === 'CartRestored' && data.restoredVersion === ask.version;
      return is(isVersion && content(data.items as Parameters<typeof content>[0]) === contents.get(ask.version!));
    }
  }
}

function* checkExpectedVersion(
  commandId: string,
  effect: Effect | undefined,
  operations: readonly CommandOperation[],
): Generator<Found> {
  const first = effect?.versions[0];
  if (first === undefined) return;
  const conditional = operations.filter(({ ask }) => ask.expectedVersion !== undefined);
  const wrong = conditional.filter(({ ask, result }) => result === 'ok' && ask.expectedVersion !== first - 1);
  if (wrong.length === 0) return;
  const what = `it was applied to version ${first - 1} and had asked for version ${wrong[0]!.ask.expectedVersion}`;
  yield found('if-match-ignored', commandId, what, wrong);
}
