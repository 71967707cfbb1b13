import { checkOutcome } from './commands';
import { type Found, found } from './found';
import { byRequest, fits, shapeOf } from './requests';
import { type CommandOperation, type Effect, groupBy, isCommand, reuseCode, type Story } from './story';
import type { Outcome } from './types';

/**
 * Of several requests under one id, one is the command. Each other one is recorded as rejected exactly once where it
 * was acknowledged, at most once otherwise. Nothing else is recorded as a reuse.
 */
export function* checkReuses(story: Story): Generator<Found> {
  for (const [commandId, operations] of story.sent) {
    const [effect] = story.effectsOf.get(commandId) ?? [];
    const outcome = story.final.outcomes[commandId] ?? null;
    if (effect?.code === reuseCode) {
      yield found('false-reuse', commandId, 'it is rejected as a reuse of itself', operations);
    }
    const reuses = story.reusesOf.get(commandId) ?? [];
    for (const reuse of reuses) yield* checkReuse(story, reuse);
    const requests = operations.filter(isCommand);
    const isKnown = effect !== undefined || outcome !== null;
    if (isKnown && (reuses.length > 0 || requests.length > 1)) {
      yield* checkRequests(commandId, requests, reuses, commandShapes(story, requests, effect, outcome));
    }
  }
}

function* checkReuse({ final }: Story, reuse: Effect): Generator<Found> {
  const { recordedId, versions } = reuse;
  if (versions.length > 0) yield found('applied-reuse', recordedId, `it is rejected and has the versions ${versions}`);
  yield* checkOutcome(recordedId, final.outcomes[recordedId] ?? null, [reuse]);
}

/** The shapes that the request which became the command can have: one, but where it changed nothing. */
function commandShapes(
  story: Story,
  requests: readonly CommandOperation[],
  effect: Effect | undefined,
  outcome: Outcome | null,
): ReadonlySet<string> {
  const possible = requests.filter(({ ask }) => (effect ? fits(story, effect, ask) : ask.type === outcome!.type));
  return new Set(possible.map(({ ask }) => shapeOf(ask.type, ask)));
}

function* checkRequests(
  commandId: string,
  operations: readonly CommandOperation[],
  reuses: readonly Effect[],
  command: ReadonlySet<string>,
): Generator<Found> {
  const requests = [...byRequest(operations).values()].map((sent) => ({
    shape: shapeOf(sent[0]!.ask.type, sent[0]!.ask),
    isAcknowledged: sent.some(({ result }) => result === 'ok'),
  }));
  const sentByShape = groupBy(requests, ({ shape }) => shape);
  const recordedByShape = groupBy(reuses, (reuse) => shapeOf(reuse.command, reuse.entries[0]!.data));
  for (const [shape, recorded] of recordedByShape) {
    const isCommandShape = command.size === 1 && command.has(shape);
    const most = (sentByShape.get(shape)?.length ?? 0) - (isCommandShape ? 1 : 0);
    if (recorded.length <= most) continue;
    const what = `${shape} is recorded as a reuse ${recorded.length} times; ${most} such requests are no repeats`;
    yield found(most <= 0 ? 'false-reuse' : 'doubled-reuse', commandId, what, operations);
  }
  const missing = [...sentByShape].flatMap(([shape, sent]) => {
    const least = sent.filter(({ isAcknowledged }) => isAcknowledged).length;
    return Array(Math.max(0, least - (recordedByShape.get(shape)?.length ?? 0))).fill(shape) as string[];
  });
  const own = missing.findIndex((shape) => command.has(shape));
  const lost = missing.filter((_, index) => index !== own);
  if (lost.length > 0) {
    yield found('lost-reuse', commandId, `acknowledged, neither the command nor a recorded reuse: ${lost}`, operations);
  }
}
