import { randomInt } from 'node:crypto';
import { type CartClient, type CommandAnswer, createCartClient } from '../../client/src/index';
import { ModelCart, type ModelCommand } from '../support/cart-model';
import { randomNumbers } from '../support/random';
import { expectConsistentLog, readLog } from '../support/read-log';
import { until } from '../support/until';
import { newUser, openWorld, products, type World } from '../support/world';

const users = 20;
const commands = 2_000;
const atATime = 32;

const catalogue = Object.fromEntries(
  products.map(({ productId, unitPrice, currency }) => [productId, { price: unitPrice, currency }]),
);

function randomCommand(random: () => number): ModelCommand {
  const product = ['pen', 'ink', 'cap'][Math.floor(random() * 3)]!;
  const quantity = 1 + Math.floor(random() * (random() < 0.1 ? 999 : 5));
  const kind = random();
  if (kind < 0.55) return { kind: 'add', product, quantity };
  if (kind < 0.75) return { kind: 'change', product, quantity: random() < 0.2 ? 0 : quantity };
  if (kind < 0.9) return { kind: 'remove', product };
  if (kind < 0.93) return { kind: 'note', note: random() < 0.3 ? null : `note ${quantity}` };
  return { kind: kind < 0.96 ? 'clear' : 'checkout' };
}

/** Sends the command under this id, without waiting for its outcome. */
function send(client: CartClient, user: string, command: ModelCommand, commandId: string): Promise<CommandAnswer> {
  switch (command.kind) {
    case 'add':
      return client.addItem(user, { productId: command.product, quantity: command.quantity }, { commandId });
    case 'change':
      return client.changeItemQuantity(user, command.product, command.quantity, { commandId });
    case 'remove':
      return client.removeItem(user, command.product, { commandId });
    case 'clear':
      return client.clearCart(user, { commandId });
    case 'note':
      return client.changeNote(user, command.note, { commandId });
    case 'checkout':
      return client.checkOut(user, { commandId });
  }
}

describe('20 users who send 2,000 mixed commands, 32 at a time,', () => {
  const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(() => world.close());

  it(`get one outcome per command, and the same carts as in an independent model (SEED=${seed})`, async () => {
    const random = randomNumbers(seed);
    const carts = Array.from({ length: users }, () => ({ user: newUser(), sent: new Map<string, ModelCommand>() }));
    const plan = Array.from({ length: commands }, (_, index) => ({
      cart: carts[Math.floor(random() * users)]!,
      command: randomCommand(random),
      key: `c-${index}`,
    }));
    const next = plan.values();
    const statuses: number[] = [];
    const client = createCartClient({
      baseUrl: world.url,
      // Sees each attempt, so that a repeat by the client cannot hide a status.
      async fetch(request) {
        const response = await fetch(request);
        if (request.method !== 'GET') statuses.push(response.status);
        return response;
      },
    });
    const sendNext = async () => {
      for (const { cart, command, key } of next) {
        const answer = await send(client, cart.user, command, key);
        expect(answer).toEqual({ status: 'accepted', commandId: key });
        cart.sent.set(key, command);
      }
    };
    await Promise.all(Array.from({ length: atATime }, sendNext));
    expect(statuses).toHaveLength(commands);
    expect(new Set(statuses)).toEqual(new Set([202]));
    for (const { user, sent } of carts) {
      const log = await until('every command has its outcome', async () => {
        const read = await readLog(world, user);
        return read.commands.length >= sent.size && read;
      });
      expect(log.commands.map((command) => command.command_id).sort()).toEqual([...sent.keys()].sort());
      const model = new ModelCart(catalogue);
      for (const { command_id: key, outcome, sequence, code } of log.commands) {
        const command = sent.get(key)!;
        // It was sent at the same moment as a command that was before it in the cart.
        if (code === 'try_again' && command.kind === 'checkout') continue;
        const isAccepted = model.run(command);
        expect({ sequence, outcome }).toEqual({ sequence, outcome: isAccepted ? 'applied' : 'rejected' });
      }
      const cart = await client.readCart(user);
      expect(cart.items.map(({ productId, quantity, unitPrice }) => ({ productId, quantity, unitPrice }))).toEqual(
        model.lines,
      );
      expect(cart).toMatchObject({ version: model.version, subtotal: model.subtotal, note: model.note });
      await expectConsistentLog(world, user);
    }
  });
});
