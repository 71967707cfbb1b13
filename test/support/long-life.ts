import { parseCommand } from '../../src/contract/parse-command';
import { isMalformed } from '../../src/domain/commands';
import { emptyCheckpoint, handle, type RecordedDecision } from '../../src/domain/handle';
import { ModelCart, type ModelCommand } from './cart-model';
import { randomNumbers } from './random';

interface LineView {
  lineId: string;
  productId: string;
  name: string;
  quantity: number;
  unitPrice: number;
  lineTotal: number;
  addedAt: string;
}
/** A cart as the query side returns it. */
export interface CartView {
  userId: string;
  version: number;
  status: string;
  currency: string | null;
  note: string | null;
  itemCount: number;
  subtotal: number;
  updatedAt: string | null;
  items: LineView[];
}
interface LongLife {
  decisions: RecordedDecision[];
  /** The cart at each version, as the model has it. */
  versions: CartView[];
  /** An instant before the first event. */
  before: string;
}

/**
 * Decides random commands by the real rules and by the model, until the cart has `length` events. Several commands are
 * in the same millisecond.
 */
export function longLife(userId: string, length: number, seed: number): LongLife {
  const next = randomNumbers(seed);
  const random = (bound: number) => Math.floor(next() * bound);
  const ids = Array.from({ length: 12 }, (_, n) => `p${n}`);
  const catalogue = Object.fromEntries(
    ids.map((id, n) => [id, { price: 100 + n * 7, currency: n % 6 === 5 ? 'USD' : 'EUR' }]),
  );
  const model = new ModelCart(catalogue);
  const added = new Map<string, { addedAt: string; addedVersion: number }>();
  const life: LongLife = { decisions: [], versions: [emptyCart(userId)], before: iso(Date.UTC(2025, 0, 1) - 1) };
  const addedVersions: Record<string, number>[] = [{}];
  let checkpoint = emptyCheckpoint;
  let now = Date.UTC(2025, 0, 1);
  while (model.version < length) {
    now += random(3) === 0 ? 0 : random(4) === 0 ? random(86_400) : 1;
    const past = random(60) === 0 ? random(model.version + 1) : undefined;
    if (past === undefined) {
      const command = randomCommand(ids, random);
      const result = decideNext(checkpoint, ...toCommand(command, catalogue), now);
      expect(result.decision.outcome).toBe(model.run(command) ? 'applied' : 'rejected');
      ({ checkpoint } = result);
      life.decisions.push(result.decision);
    } else {
      const { items, currency, note } = life.versions[past]!;
      const restored = items.map(({ lineTotal: _lineTotal, lineId: _lineId, ...item }) => ({
        ...item,
        addedVersion: addedVersions[past]![item.productId]!,
      }));
      const result = decideNext(checkpoint, 'restoreCart', { version: past, items: restored, currency, note }, now);
      ({ checkpoint } = result);
      life.decisions.push(result.decision);
      restoreModel(restored, note);
    }
    if (model.version === life.versions.length) noteVersion();
  }
  return life;

  function restoreModel(
    items: readonly { productId: string; quantity: number; addedAt: string; addedVersion: number }[],
    note: string | null,
  ) {
    const shape = (lines: readonly { productId: string; quantity: number; addedVersion: number }[]) =>
      JSON.stringify(lines.map(({ productId, quantity, addedVersion }) => [productId, quantity, addedVersion]));
    const present = model.lines.map((line) => ({ ...line, ...added.get(line.productId)! }));
    if (shape(present) === shape(items) && model.note === note) return;
    model.note = note;
    model.quantities.clear();
    added.clear();
    for (const { productId, quantity, addedAt, addedVersion } of items) {
      model.quantities.set(productId, quantity);
      added.set(productId, { addedAt, addedVersion });
    }
    model.version += 1;
  }

  function noteVersion() {
    const { lines, version } = model;
    for (const id of added.keys()) if (!model.quantities.has(id)) added.delete(id);
    for (const { productId } of lines) {
      if (!added.has(productId)) added.set(productId, { addedAt: iso(now), addedVersion: version });
    }
    life.versions.push({
      userId,
      version,
      status: lines.length === 0 ? 'empty' : 'open',
      currency: lines.length === 0 ? null : catalogue[lines[0]!.productId]!.currency,
      note: model.note,
      itemCount: lines.reduce((sum, { quantity }) => sum + quantity, 0),
      subtotal: model.subtotal,
      updatedAt: iso(now),
      items: lines.map((line) => ({
        ...line,
        lineId: line.productId,
        name: `The ${line.productId}`,
        lineTotal: line.quantity * line.unitPrice,
        addedAt: added.get(line.productId)!.addedAt,
      })),
    });
    addedVersions.push(Object.fromEntries([...added].map(([id, { addedVersion }]) => [id, addedVersion])));
  }
}

function randomCommand(ids: readonly string[], random: (bound: number) => number): ModelCommand {
  const product = ids[random(ids.length)]!;
  const dice = random(100);
  if (dice < 45) return { kind: 'add', product, quantity: 1 + random(random(20) === 0 ? 999 : 9) };
  if (dice < 75) return { kind: 'change', product, quantity: random(12) };
  if (dice < 93) return { kind: 'remove', product };
  if (dice < 96) return { kind: 'note', note: random(4) === 0 ? null : `note\n${random(9)}` };
  return { kind: dice < 98 ? 'clear' : 'checkout' };
}

function toCommand(command: ModelCommand, catalogue: ModelCart['catalogue']): [string, object] {
  if (command.kind === 'clear') return ['clearCart', {}];
  if (command.kind === 'note') return ['changeNote', { note: command.note }];
  if (command.kind === 'checkout') return ['checkOut', {}];
  const { product: productId } = command;
  if (command.kind === 'remove') return ['removeItem', { productId }];
  const { quantity } = command;
  if (command.kind === 'change') return ['changeItemQuantity', { productId, quantity }];
  const { price, currency } = catalogue[productId]!;
  return ['addItem', { productId, name: `The ${productId}`, unitPrice: price, currency, quantity }];
}

/** Decides one more command, at this instant. */
export function decideNext(checkpoint: typeof emptyCheckpoint, type: string, fields: object, at: number) {
  const commandId = `c${checkpoint.sequence + 1}`;
  const command = parseCommand(type, { commandId, issuedAt: iso(at), actor: 'user:old', ...fields });
  if (isMalformed(command)) throw new Error(command.reason);
  const next = handle(checkpoint, command, {
    now: iso(at),
    runId: 'run',
    freshId: () => commandId,
    unprojectedCount: 0,
  });
  return { checkpoint: next.checkpoint, decision: next.decision! };
}

export function emptyCart(userId: string): CartView {
  const nothing = { version: 0, status: 'empty', currency: null, note: null };
  return { userId, ...nothing, itemCount: 0, subtotal: 0, updatedAt: null, items: [] };
}

export function iso(instant: number): string {
  return new Date(instant).toISOString();
}
