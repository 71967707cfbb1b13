import { useCallback, useEffect, useState } from 'preact/hooks';
import {
  type Cart,
  CartProblem,
  type CommandAnswer,
  type CommandOptions,
  NoAnswerError,
} from '../../../client/src/index.ts';
import { explain } from '../problems.ts';
import { queries } from '../session.ts';

/** A command whose outcome is not known yet, and how the cart is expected to look after it. */
interface Pending {
  readonly commandId: string;
  readonly expect: (cart: Cart) => Cart;
}

/** Sends a command, shows its expected effect at once, and takes it back where the command is rejected. */
export type Send = (
  expect: (cart: Cart) => Cart,
  command: (options: CommandOptions) => Promise<CommandAnswer>,
) => Promise<void>;

interface LiveCart {
  /** The cart with what is expected of the commands on their way; undefined until it is read. */
  readonly cart: Cart | undefined;
  /** Whether commands are on their way. */
  readonly isBusy: boolean;
  /** Why the last command was rejected. */
  readonly problem: string | undefined;
  readonly send: Send;
  /** Takes a cart that an answer has shown. */
  readonly take: (cart: Cart) => void;
}

const waitSeconds = 20;

/** The cart of a user, as it is now: it follows what other tabs do. */
export function useCart(userId: string): LiveCart {
  const [confirmed, setConfirmed] = useState<Cart>();
  const [pending, setPending] = useState<readonly Pending[]>([]);
  const [problem, setProblem] = useState<string>();

  const take = useCallback((cart: Cart) => {
    setConfirmed((known) => (known !== undefined && known.version > cart.version ? known : cart));
  }, []);

  // Once the cart has the effect of a command, it is expected no more.
  const settle = useCallback((commandId: string) => {
    setPending((others) => others.filter((each) => each.commandId !== commandId));
  }, []);

  useEffect(() => {
    const left = new AbortController();
    setConfirmed(undefined);
    void follow(userId, take, settle, left.signal).catch((error) => {
      if (!left.signal.aborted) setProblem(explain(error));
    });
    return () => left.abort();
  }, [userId, take, settle]);

  const send: Send = useCallback(
    async (expect, command) => {
      const commandId = crypto.randomUUID();
      setProblem(undefined);
      setPending((others) => [...others, { commandId, expect }]);
      try {
        const answer = await untilAnswered(() => command({ commandId, waitSeconds }));
        if (answer.status === 'applied') take(answer.cart);
        else {
          const { versions } = await queries.waitFor(userId, commandId);
          take(await queries.readCart(userId, { minVersion: Math.max(0, ...versions) }));
        }
      } catch (error) {
        setProblem(explain(error));
        await queries.readCart(userId).then(take, () => undefined);
      } finally {
        settle(commandId);
      }
    },
    [userId, take, settle],
  );

  const cart = confirmed && pending.reduce((before, { expect }) => withTotals(expect(before)), confirmed);
  return { cart, isBusy: pending.length > 0, problem, send, take };
}

/** Reads the cart, and again after each event. While the API is away, the client tries again by itself. */
async function follow(
  userId: string,
  take: (cart: Cart) => void,
  settle: (commandId: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const untilLeft = { signal, timeoutMs: Number.POSITIVE_INFINITY };
  const first = await queries.readCart(userId, untilLeft);
  take(first);
  for await (const event of queries.followCart(userId, { after: first.version, signal })) {
    take(await queries.readCart(userId, { ...untilLeft, minVersion: event.version }));
    settle(event.commandId);
  }
}

/** The command keeps its id, so it counts once, however often it is sent. */
async function untilAnswered(command: () => Promise<CommandAnswer>): Promise<CommandAnswer> {
  for (;;) {
    try {
      return await command();
    } catch (error) {
      if (!isTemporary(error)) throw error;
    }
  }
}

const isTemporary = (error: unknown): boolean =>
  error instanceof NoAnswerError || (error instanceof CartProblem && (error.status === 429 || error.status === 503));

function withTotals(cart: Cart): Cart {
  const items = cart.items.map((item) => ({ ...item, lineTotal: item.quantity * item.unitPrice }));
  return {
    ...cart,
    items,
    itemCount: items.reduce((sum, { quantity }) => sum + quantity, 0),
    subtotal: items.reduce((sum, { lineTotal }) => sum + lineTotal, 0),
  };
}
