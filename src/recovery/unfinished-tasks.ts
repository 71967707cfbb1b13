import canonicalize from 'canonicalize';
import type { Command, MalformedCommand } from '../domain/commands';
import { evolve } from '../domain/evolve';
import { withFacts } from '../domain/facts';
import { emptyCheckpoint, handle, type RecordedDecision } from '../domain/handle';
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
    const received = await receivedBy(decision.runId);
    const before = recorded.filter(({ sequence }) => sequence < decision.sequence);
    if (received.some(({ command }) => leadsTo(command, decision, before))) unfinished.add(placeOf(decision));
  }
  return unfinished;
}

function leadsTo(
  command: Command | MalformedCommand,
  decision: RecordedDecision,
  before: readonly RecordedDecision[],
): boolean {
  const { sequence, decidedAt, runId } = decision;
  const reused = isReuse(decision)
    ? { recentCommandIds: [withoutSequence(decision.command.commandId)], recentFingerprints: ['of another command'] }
    : {};
  const cart = before.flatMap(({ events }) => events).reduce(evolve, emptyCart);
  const checkpoint = { ...emptyCheckpoint, ...reused, cart, sequence: sequence - 1 };
  const incoming = 'facts' in decision.command.data ? withFacts(command) : command;
  const again = handle(checkpoint, incoming, { now: decidedAt, runId, freshId: () => '', unprojectedCount: 0 });
  return canonicalize(again.decision) === canonicalize(decision);
}
