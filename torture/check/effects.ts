import { type Found, found } from './found';
import { fits } from './requests';
import { type CommandOperation, type Effect, isCommand, type Story } from './story';
import type { Operation, Outcome } from './types';

/** The code of what a cart cannot read. */
export const malformedCode = 'malformed_command';

/** What a command did is what one of the requests under its id asked for. Where there are others, see `checkReuses`. */
export function* checkEffects(story: Story): Generator<Found> {
  for (const [commandId, operations] of story.sent) {
    const effect = story.effectsOf.get(commandId)?.[0];
    const outcome = story.final.outcomes[commandId] ?? null;
    yield* checkSignalled(commandId, operations, effect, outcome);
    const sent = operations.filter(isCommand).filter(({ result }) => result !== 'fail');
    if (sent.length === 0 || (effect === undefined && outcome === null)) continue;
    const fitting = sent.filter(({ ask }) => (effect ? fits(story, effect, ask) : ask.type === outcome!.type));
    if (fitting.length === 0) {
      const asked = sent.map(({ ask }) => JSON.stringify(ask)).join(' or ');
      yield found('other-effect', commandId, `${asked} became ${describe(effect, outcome)}`, sent);
    } else if (effect !== undefined) yield* checkExpectedVersion(effect, fitting);
  }
}

function describe(effect: Effect | undefined, outcome: Outcome | null): string {
  if (effect === undefined) return `${outcome!.type}, applied`;
  const { type, data } = effect.entries[0]!;
  return `${effect.command}: ${type} ${JSON.stringify(data)}`;
}

function* checkExpectedVersion(
  { commandId, versions: [first] }: Effect,
  fitting: readonly CommandOperation[],
): Generator<Found> {
  if (first === undefined) return;
  const isAsExpected = ({ ask: { expectedVersion } }: CommandOperation) =>
    expectedVersion === undefined || expectedVersion === first - 1;
  if (fitting.some(isAsExpected)) return;
  const what = `it was applied to version ${first - 1} and had asked for version ${fitting[0]!.ask.expectedVersion}`;
  yield found('if-match-ignored', commandId, what, fitting);
}

/** What a signal by hand carried and cannot be read is rejected, and nothing else is for that reason. */
function* checkSignalled(
  commandId: string,
  operations: readonly Operation[],
  effect: Effect | undefined,
  outcome: Outcome | null,
): Generator<Found> {
  for (const operation of operations) {
    if (operation.ask.kind !== 'signal' || outcome === null) continue;
    const { type, code } = operation.ask.commands.find((command) => command.commandId === commandId)!;
    const isRejected = effect?.code === code && outcome.code === code;
    const isRight = code === undefined ? outcome.type === type && effect?.code !== malformedCode : isRejected;
    if (isRight) continue;
    const wanted = code === undefined ? `a readable ${type}` : `rejected ${code}`;
    yield found('other-effect', commandId, `it was to be ${wanted}, and became ${describe(effect, outcome)}`, [
      operation,
    ]);
  }
}
