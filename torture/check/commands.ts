import { type Found, found } from './found';
import { fits } from './requests';
import { type Effect, idsSentBy, isCommand, type Story } from './story';
import type { Operation, Outcome } from './types';

/** Every acknowledged command has exactly one outcome, an unknown one at most one, a failed one none. */
export function* checkCommands(story: Story): Generator<Found> {
  for (const [commandId, operations] of story.sent) {
    const effects = story.effectsOf.get(commandId) ?? [];
    const outcome = story.final.outcomes[commandId] ?? null;
    if (effects.length > 1) {
      const places = effects.map(({ sequence }) => sequence).join(' and ');
      const kind = isOneRequest(story, effects, operations) ? 'doubled-command' : 'applied-reuse';
      yield found(kind, commandId, `it was decided ${effects.length} times, as ${places}`, operations);
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

/** Whether all these effects can be of the same request; where nothing is known of the requests, they are. */
function isOneRequest(story: Story, effects: readonly Effect[], operations: readonly Operation[]): boolean {
  const requests = operations.filter(isCommand);
  return requests.length === 0 || requests.some(({ ask }) => effects.every((effect) => fits(story, effect, ask)));
}

/** What is answered about a command and what the timeline shows of it are the same. */
export function* checkOutcome(
  commandId: string,
  outcome: Outcome | null,
  effects: readonly Effect[],
): Generator<Found> {
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
