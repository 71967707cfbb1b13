import { type Found, found } from './found';
import { groupBy, isCommand, type Story } from './story';

/**
 * The commands of a batch are on record together and one after another, with no other one between them. Of an atomic
 * one all are applied, or none. The expected version is the one before the first of them.
 */
export function* checkBatches(story: Story): Generator<Found> {
  const commands = story.operations.filter(isCommand);
  const byBatch = groupBy(commands, ({ ask }) => ask.batch?.key);
  for (const [key, operations] of byBatch) {
    if (key === undefined) continue;
    const { size, atomic, expectedVersion } = operations[0]!.ask.batch!;
    const torn = (what: string) => found('torn-batch', key, what, operations);
    const ids = Array.from({ length: size }, (_, index) => `${key}:${index + 1}`);
    const recorded = ids.flatMap((id) => story.final.outcomes[id] ?? []);
    if (recorded.length === 0) continue;
    if (recorded.length < size) yield torn(`of ${size} commands, ${recorded.length} are on record`);
    const applied = recorded.filter(({ status }) => status === 'applied').length;
    if (atomic && applied > 0 && applied < recorded.length) yield torn(`of ${size} commands, ${applied} are applied`);
    const effects = ids.map((id) => story.effectsOf.get(id)?.[0]);
    const starts = effects.flatMap((effect, index) => (effect === undefined ? [] : effect.sequence - index));
    if (new Set(starts).size > 1) {
      yield torn(`its decisions are ${effects.map((effect) => effect?.sequence ?? '–').join(', ')}`);
    }
    const [first] = effects.flatMap((effect) => effect?.versions ?? []);
    if (first !== undefined && expectedVersion !== undefined && first !== expectedVersion + 1) {
      const what = `the batch was applied to version ${first - 1} and had asked for version ${expectedVersion}`;
      yield found('if-match-ignored', key, what, operations);
    }
  }
}
