import { parseCommand } from '../../src/contract/parse-command';
import { type Command, isMalformed } from '../../src/domain/commands';
import { type Checkpoint, emptyCheckpoint, handle, type RecordedDecision } from '../../src/domain/handle';

type CommandFields = { readonly type: string } & Readonly<Record<string, unknown>>;

/** The instant of the n-th command. */
export const instant = (step: number): string => new Date(Date.UTC(2030, 0, 1) + step * 1_000).toISOString();

/** A complete command from the fields that matter for a test. @throws Error where it is malformed. */
export function command(fields: CommandFields, step = 0): Command {
  const { type, ...rest } = fields;
  const payload = { commandId: `c${step}`, issuedAt: instant(step), actor: 'user:alice', ...rest };
  const parsed = parseCommand(type, payload);
  if (isMalformed(parsed)) throw new Error(parsed.reason);
  return parsed;
}

/** An addItem of a product whose name is derived from its id. */
export const add = (productId: string, quantity = 1, more: Record<string, unknown> = {}): CommandFields => ({
  type: 'addItem',
  productId,
  name: `The ${productId}`,
  unitPrice: 250,
  currency: 'EUR',
  quantity,
  ...more,
});

/** Decides commands one after another. @returns the last checkpoint, the last decision, and all decisions. */
export function decideAll(
  commands: readonly CommandFields[],
  from: Checkpoint = emptyCheckpoint,
): { checkpoint: Checkpoint; decision: RecordedDecision | undefined; decisions: RecordedDecision[] } {
  let checkpoint = from;
  let decision: RecordedDecision | undefined;
  const decisions: RecordedDecision[] = [];
  commands.forEach((fields, index) => {
    const step = from.sequence + index + 1;
    const result = handle(checkpoint, command(fields, step), {
      now: instant(step),
      runId: 'run',
      freshId: () => `fresh${step}`,
      unprojectedCount: 0,
    });
    ({ checkpoint, decision } = result);
    if (decision) decisions.push(decision);
  });
  return { checkpoint, decision, decisions };
}
