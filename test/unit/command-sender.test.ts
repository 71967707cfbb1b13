import { type Client, ServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { createCommandSender, TemporalUnavailableError } from '../../src/commands/send-command';
import type { Command } from '../../src/domain/commands';
import { limits } from '../../src/domain/limits';
import { add, command } from '../support/cart-story';

interface Signal {
  readonly workflowId: string;
  readonly signal: string;
  readonly signalArgs: readonly unknown[];
  readonly args?: readonly unknown[];
  readonly typedSearchAttributes?: readonly { readonly value: unknown }[];
}

/**
 * A sender and the signals that it has sent. Temporal accepts each signal when `take` resolves. Only signals that may
 * start a cart have a `taskQueue`.
 */
function openSender(
  options: {
    isNew?: () => Promise<boolean>;
    take?: () => Promise<void>;
    isOpen?: () => boolean;
    hasRun?: boolean;
  } = {},
) {
  const { isNew = async () => false, take = async () => {}, isOpen = () => true, hasRun = false } = options;
  const signals: Signal[] = [];
  const client = {
    withDeadline: (_deadline: number, send: () => Promise<unknown>) => send(),
    workflow: {
      signalWithStart: async (_type: string, signal: Signal) => {
        signals.push(signal);
        await take();
      },
      getHandle: (workflowId: string) => ({
        async describe() {
          if (!hasRun) throw new WorkflowNotFoundError('workflow not found', workflowId, undefined);
        },
        async signal(signal: string, ...signalArgs: unknown[]) {
          if (!isOpen()) throw new WorkflowNotFoundError('workflow execution already completed', workflowId, undefined);
          signals.push({ workflowId, signal, signalArgs });
          await take();
        },
      }),
    },
  };
  return { signals, send: createCommandSender(client as unknown as Client, 'carts', isNew) };
}

let step = 0;
const addPen = (): Command => command(add('pen'), ++step);
const idsOf = (signals: readonly Signal[]) =>
  signals.map(({ signalArgs: [sent] }) =>
    Array.isArray(sent) ? sent.map((one) => one.commandId) : (sent as Command).commandId,
  );

describe('the command sender', () => {
  it('sends a single command as a signal with its own name', async () => {
    const { signals, send } = openSender();
    const { type, ...payload } = addPen();
    await send('alice', { type, ...payload } as Command);
    expect(signals).toEqual([expect.objectContaining({ workflowId: 'cart:alice', signal: 'addItem' })]);
    expect(signals[0]!.signalArgs).toEqual([payload]);
  });

  it('sends commands of the same moment as one signal, in their order', async () => {
    const { signals, send } = openSender();
    const commands = Array.from({ length: 5 }, addPen);
    await Promise.all(commands.map((one) => send('alice', one)));
    expect(signals).toEqual([expect.objectContaining({ signal: 'commands', signalArgs: [commands] })]);
  });

  it('sends commands of different carts as different signals', async () => {
    const { signals, send } = openSender();
    await Promise.all([send('alice', addPen()), send('bob', addPen())]);
    expect(signals.map((signal) => signal.workflowId)).toEqual(['cart:alice', 'cart:bob']);
  });

  it('sends commands that arrive during a signal together in the next signal', async () => {
    let taken = () => {};
    const { signals, send } = openSender({
      take: () =>
        new Promise((resolve) => {
          taken = resolve;
        }),
    });
    const [first, second, third] = [addPen(), addPen(), addPen()];
    const sending = send('alice', first);
    while (signals.length === 0) await new Promise(setImmediate);
    const others = Promise.all([send('alice', second), send('alice', third)]);
    taken();
    await sending;
    while (signals.length === 1) await new Promise(setImmediate);
    taken();
    await others;
    expect(idsOf(signals)).toEqual([first.commandId, [second.commandId, third.commandId]]);
  });

  it('limits the number of commands in a signal', async () => {
    const { signals, send } = openSender();
    await Promise.all(Array.from({ length: 2 * limits.commandsPerSignal + 1 }, () => send('alice', addPen())));
    expect(idsOf(signals).map((ids) => [ids].flat().length)).toEqual([20, 20, 1]);
  });

  it('fails every command of a signal that Temporal rejects', async () => {
    const { send } = openSender({ take: () => Promise.reject(new Error('broken')) });
    const outcomes = await Promise.allSettled([send('alice', addPen()), send('alice', addPen())]);
    expect(outcomes).toEqual(Array(2).fill(expect.objectContaining({ status: 'rejected' })));
  });

  it('starts the cart of a new user with an empty state and with its search attributes', async () => {
    const { signals, send } = openSender({ isNew: async () => true });
    await send('alice', command(add('pen', 3), ++step));
    expect(signals[0]!.args).toEqual([expect.objectContaining({ schema: 1, unprojected: [] })]);
    expect(signals[0]!.typedSearchAttributes!.map(({ value }) => value)).toEqual(['alice', 'open', 3]);
  });

  it.each([
    ['had a cart', async () => false],
    ['cannot be looked up', () => Promise.reject(new Error('away'))],
    ['is not looked up in time', () => new Promise<boolean>(() => {})],
  ])('lets the cart load its checkpoint where the user %s', async (_what, isNew) => {
    const { signals, send } = openSender({ isNew });
    await send('alice', addPen());
    expect(signals[0]).not.toHaveProperty('args');
  });

  it('lets the cart of a user load its checkpoint whom Postgres does not know and Temporal does', async () => {
    const { signals, send } = openSender({ isNew: async () => true, hasRun: true });
    await send('alice', addPen());
    expect(signals[0]).not.toHaveProperty('args');
  });

  it('lets only the first command of a cart start it', async () => {
    const { signals, send } = openSender();
    await send('alice', addPen());
    await send('alice', addPen());
    expect(signals.map((signal) => 'taskQueue' in signal)).toEqual([true, false]);
  });

  it('starts a cart again whose run has ended, and lets it load its checkpoint', async () => {
    const { signals, send } = openSender({ isNew: async () => true, isOpen: () => false });
    await send('alice', addPen());
    const second = addPen();
    await send('alice', second);
    expect(idsOf(signals)[1]).toBe(second.commandId);
    expect(signals[1]).toHaveProperty('taskQueue');
    expect(signals[1]).not.toHaveProperty('args');
  });

  it('does not start a cart where Temporal fails to answer whether it is open', async () => {
    const { signals, send } = openSender({ isOpen: () => describeCart() });
    let describeCart = () => true;
    await send('alice', addPen());
    describeCart = () => {
      throw new ServiceError('unavailable');
    };
    await expect(send('alice', addPen())).rejects.toThrow(TemporalUnavailableError);
    expect(signals).toHaveLength(1);
  });

  it('looks up a user once', async () => {
    let lookUps = 0;
    const { send } = openSender({
      isNew: async () => {
        lookUps += 1;
        return true;
      },
    });
    await send('alice', addPen());
    await send('alice', addPen());
    expect(lookUps).toBe(1);
  });
});
