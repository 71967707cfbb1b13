import { setTimeout as delay } from 'node:timers/promises';
import { malformedCode } from '../check/effects';
import type { SignalAsk, SignalledCommand } from '../check/types';
import { type Fault, type FaultContext, nobody, nothingToHeal, workflowIdOf } from './fault';

/** Signals that people send from the Web UI or with the CLI. */
export function signalFaults(context: FaultContext): Fault[] {
  let commands = 0;
  const good = () => {
    commands += 1;
    const commandId = `hand-${commands}`;
    const payload = {
      commandId,
      issuedAt: new Date().toISOString(),
      actor: 'person:torture',
      productId: 'pen',
      name: 'Pen',
      unitPrice: 250,
      currency: 'EUR',
      quantity: 1,
    };
    return { commandId, type: 'addItem', payload };
  };
  return [
    {
      name: 'signal-by-hand',
      touches: 'clients',
      async inject() {
        const command = good();
        return send(context, 'addItem', [command.payload], [command]);
      },
      heal: nothingToHeal,
    },
    {
      name: 'signal-with-two-inputs',
      touches: 'clients',
      async inject() {
        const [first, second] = [good(), good()];
        // A signal has one input: the first takes effect, a further one is recorded as malformed.
        return send(context, 'addItem', [first.payload, second.payload], [first, { ...second, code: malformedCode }]);
      },
      heal: nothingToHeal,
    },
    {
      name: 'poison-signals',
      touches: 'clients',
      async inject() {
        const cart = context.random.pick(context.carts);
        for (const [name, args] of context.random.shuffle(poisons()).slice(0, 4)) {
          await send(context, name, args, [], { cart, others: 21 });
          await delay(50);
        }
        return [cart];
      },
      heal: nothingToHeal,
    },
  ];
}

async function send(
  { world, random, carts, recorder }: FaultContext,
  name: string,
  args: readonly unknown[],
  commands: readonly SignalledCommand[],
  { cart = random.pick(carts), others = 0 } = {},
): Promise<readonly string[]> {
  const ask: SignalAsk = {
    kind: 'signal',
    commands: commands.map(({ commandId, type, code }) => ({ commandId, type, ...(code && { code }) })),
    others,
  };
  const { result } = await recorder.record(nobody, cart, ask, async () => {
    await world.client.workflow.getHandle(workflowIdOf(cart)).signal(name, ...args);
    return { result: 'ok' };
  });
  if (result !== 'ok') throw new Error(`Temporal did not take the signal ${name} for ${cart}`);
  return [cart];
}

/** Signals that no storefront sends. */
function poisons(): (readonly [name: string, args: readonly unknown[]])[] {
  const envelope = { commandId: 'poison', issuedAt: '2030-01-01T00:00:00.000Z', actor: 'person:torture' };
  const good = { ...envelope, productId: 'pen', name: 'Pen', unitPrice: 250, currency: 'EUR', quantity: 1 };
  const deep = JSON.parse(`${'{"a":'.repeat(500)}1${'}'.repeat(500)}`);
  return [
    ['addItem', []],
    ['addItem', [null]],
    ['addItem', ['pen']],
    ['addItem', [{ ...good, commandId: undefined }]],
    ['addItem', [{ ...good, quantity: -1, commandId: undefined }]],
    ['addItem', [{ ...good, name: 'n'.repeat(500_000), commandId: undefined }]],
    ['addItem', [deep]],
    ['changeItemQuantity', [[1, 2, 3]]],
    ['clearCart', ['now']],
    ['restoreCart', [{ ...envelope, commandId: undefined, version: 1, items: [null], currency: 'EUR' }]],
    ['stealItem', [{ ...good, commandId: undefined }]],
    ['constructor', []],
    ['__proto__', [{}]],
    ['__temporal_signal', [{}]],
    ['commands', [[]]],
    ['commands', [[null]]],
    ['commands', [Array(21).fill({ type: 'addItem' })]],
    ['t'.repeat(900), [7]],
  ];
}
