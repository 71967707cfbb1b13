import { type Found, found } from './found';
import type { Effect, Story } from './story';

const lateAfterMs = 3_600_000;

/**
 * A command that a run left behind is rejected as superseded only where it comes more than an hour after it was sent,
 * or where it adds nothing and a command that was sent later has been decided before it.
 */
export function* checkSuperseded(story: Story, recordedSince: string): Generator<Found> {
  for (const effect of story.effects.filter(({ code }) => code === 'superseded')) {
    const operations = story.sent.get(effect.commandId);
    if (operations === undefined) continue;
    const sentAt = Math.min(...operations.map(({ start }) => start));
    const decidedAt = Date.parse(effect.entries[0]!.occurredAt) - Date.parse(recordedSince);
    if (decidedAt - sentAt > lateAfterMs) continue;
    const isAddition = effect.command === 'addItem' || effect.command === 'mergeCart';
    if (!isAddition && isAfterLaterCommand(story, effect, sentAt)) continue;
    const minutes = Math.round((decidedAt - sentAt) / 60_000);
    const why = isAddition ? 'it adds to the cart' : 'no command sent later was decided before it';
    yield found(
      'wrongly-superseded',
      effect.commandId,
      `it was superseded after ${minutes} minutes: ${why}`,
      operations,
    );
  }
}

/** Whether a command that may have been sent after this time was decided before the effect. */
function isAfterLaterCommand({ effects, sent, effectsOf, final }: Story, effect: Effect, sentAt: number): boolean {
  const mayBeLater = (commandId: string) =>
    sent.get(commandId)?.some(({ result, end }) => result === 'unknown' || end > sentAt) ?? true;
  const before = effects.filter(({ sequence }) => sequence < effect.sequence);
  if (before.some(({ commandId }) => mayBeLater(commandId))) return true;
  // What changed nothing is on record as well, but the timeline does not show when it was decided.
  const unseen = [...sent.keys()].filter((commandId) => !effectsOf.has(commandId) && final.outcomes[commandId]);
  return unseen.some(mayBeLater);
}
