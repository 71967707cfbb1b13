import canonicalize from 'canonicalize';
import type { BatchPlace } from '../domain/batch';
import { type Command, isMalformed, type MalformedCommand } from '../domain/commands';
import { evolve } from '../domain/evolve';
import { withFacts } from '../domain/facts';
import { emptyCheckpoint, handleAll, type RecordedDecision } from '../domain/handle';
import { emptyCart } from '../domain/state';
import { isReuse, withoutSequence } from '../postgres/log/recorded';
import type { HistoryRecord } from '../temporal/histories/read-decisions';
import { placeOf } from './verify-histories';

/**
 * Finds the decisions on record of tasks that were not finished: a worker was killed after it projected them, so no
 * history has them. Each must be what its command leads to that its run received, decided again on top of the record.
 * @returns their places.
 */
export async function findUnfinished(
  recorded: readonly RecordedDecision[],
  { projected, others, runIds, receivedBy }: HistoryRecord,
): Promise<ReadonlySet<string>> {
  const shown = new Set([...projected, ...others].map(placeOf));
  const decidedBy = new Set(projected.map(({ runId, command }) => `${runId} ${command.commandId}`));
  const isCandidate = (decision: RecordedDecision) =>
    runIds.has(decision.runId) &&
    !shown.has(placeOf(decision)) &&
    !decidedBy.has(`${decision.runId} ${decision.command.commandId}`);
  const unfinished = new Set<string>();
  for (const decision of recorded.filter(isCandidate)) {
    const received = (await receivedBy(decision.runId)).map(({ command }) => command);
    if (together(received, decision).some((commands) => leadsTo(commands, decision, recorded))) {
      unfinished.add(placeOf(decision));
    }
  }
  return unfinished;
}

type Received = Command | MalformedCommand;

/** Each of the commands that can have led to the decision; of a batch, its commands as one. */
function together(received: readonly Received[], { command }: RecordedDecision): readonly (readonly Received[])[] {
  const place = command.data.batch as BatchPlace | undefined;
  if (place === undefined) return received.map((each) => [each]);
  return [received.filter((each) => !isMalformed(each) && each.batch?.id === place.id)];
}

function leadsTo(
  commands: readonly Received[],
  decision: RecordedDecision,
  recorded: readonly RecordedDecision[],
): boolean {
  const { sequence, decidedAt, runId, command } = decision;
  const { place = 1 } = (command.data.batch as BatchPlace | undefined) ?? {};
  const firstSequence = sequence - place + 1;
  const reused = isReuse(decision)
    ? { recentCommandIds: [withoutSequence(command.commandId)], recentFingerprints: ['of another command'] }
    : {};
  const before = recorded.filter((each) => each.sequence < firstSequence);
  const cart = before.flatMap(({ events }) => events).reduce(evolve, emptyCart);
  const checkpoint = { ...emptyCheckpoint, ...reused, cart, sequence: firstSequence - 1 };
  const incoming = 'facts' in command.data ? commands.map(withFacts) : commands;
  const context = { now: decidedAt, runId, freshId: () => '', unprojectedCount: 0 };
  const again = handleAll(checkpoint, incoming, context).decisions.find((each) => each.sequence === sequence);
  return again !== undefined && canonicalize(again) === canonicalize(decision);
}
