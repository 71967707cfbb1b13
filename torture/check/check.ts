import { checkBatches } from './batches';
import { checkCommands } from './commands';
import { checkEffects } from './effects';
import { textOf } from './fold';
import type { Found } from './found';
import { checkMerges } from './merges';
import { latestBefore, type Observation, observe } from './observations';
import { checkContents, checkFreshness, checkInstants, checkMinimum, checkOutcomeReads } from './reads';
import { checkReuses } from './reuses';
import { singleCommands } from './single-commands';
import { groupBy, type Story, tellStory } from './story';
import { checkSuperseded } from './superseded';
import type { Final, Operation, Violation } from './types';

/**
 * Checks a recorded history of operations against what can be read once everything is quiet. Pure. But for merges,
 * carts do not depend on one another, so each is checked alone. Versions and sequences give the order, so nothing is
 * searched: O(n log n).
 */
export function check(history: readonly Operation[], final: Final): Violation[] {
  const operations = groupBy(singleCommands(history), ({ cart }) => cart);
  const finals = new Map(final.carts.map((cart) => [cart.cart, cart]));
  const violations: Violation[] = [];
  for (const [cart, ofCart] of operations) {
    const state = finals.get(cart);
    if (state === undefined) violations.push({ kind: 'not-readable', cart, what: 'it could not be read in the end' });
    else {
      for (const found of checkCart(tellStory(cart, ofCart, state), final.recordedSince)) {
        violations.push({ ...found, cart });
      }
    }
  }
  violations.push(...checkMerges(final.carts));
  if (final.verify.status !== 0) {
    violations.push({ kind: 'verify', what: `ops verify ended with ${final.verify.status}: ${final.verify.output}` });
  }
  return violations;
}

function* checkCart(story: Story, recordedSince: string): Generator<Found> {
  const observations = observe(story);
  yield* checkCommands(story);
  yield* checkEffects(story);
  yield* checkBatches(story);
  yield* checkReuses(story);
  yield* checkSuperseded(story, recordedSince);
  yield* checkVersions(story);
  yield* checkOrder(story, observations);
  yield* checkState(story);
  yield* checkFreshness(story, observations);
  yield* checkMinimum(story);
  yield* checkContents(story);
  yield* checkInstants(story, observations);
  yield* checkOutcomeReads(story);
}

/** The n-th event has version n, and versions and sequences grow together. */
function* checkVersions({ final }: Story): Generator<Found> {
  const events = final.entries.filter(({ version }) => version !== undefined);
  for (const [index, { version, sequence }] of events.entries()) {
    if (version !== index + 1) {
      yield { kind: 'version-gap', what: `the event at place ${index + 1} has version ${version}` };
      return;
    }
    if (index > 0 && sequence < events[index - 1]!.sequence) {
      yield { kind: 'version-gap', what: `version ${version} is of an earlier decision than the version before it` };
    }
  }
  if (final.now.version !== events.length) {
    yield { kind: 'version-gap', what: `the cart is at version ${final.now.version} and has ${events.length} events` };
  }
}

/** A command that was sent after the outcome of another was known comes after it. */
function* checkOrder({ effects, sent }: Story, observations: readonly Observation[]): Generator<Found> {
  const known = latestBefore(observations.map(({ operation, sequence }) => ({ time: operation.end, value: sequence })));
  for (const { commandId, sequence } of effects) {
    const operations = sent.get(commandId);
    if (operations === undefined) continue;
    const start = Math.min(...operations.map((operation) => operation.start));
    const before = known(start);
    if (sequence > before) continue;
    yield {
      kind: 'order',
      commandId,
      what: `it is decision ${sequence}, and was sent after decision ${before} was known`,
      operations: operations.map(({ id }) => id),
    };
  }
}

/** The cart is the fold of its events, and so are the answers about its versions. */
function* checkState({ final, states, contradictions }: Story): Generator<Found> {
  for (const { version, what } of contradictions) yield { kind: 'state-not-fold', what: `version ${version}: ${what}` };
  const [now, last, fold] = [textOf(final.now), textOf(final.last), states.get(final.now.version)];
  if (now !== fold) yield { kind: 'state-not-fold', what: `the cart is ${now}; its events fold to ${fold}` };
  for (const past of final.past) {
    const [shown, folded] = [textOf(past), states.get(past.version)];
    if (shown !== folded) yield { kind: 'past-not-fold', what: `the past is ${shown}; the events fold to ${folded}` };
  }
  if (now !== last) yield { kind: 'past-not-present', what: `the cart is ${now}; as its last version it is ${last}` };
}
