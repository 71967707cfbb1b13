import { setTimeout as delay } from 'node:timers/promises';
import { temporal } from '@temporalio/proto';
import { becomes } from '../world/servers';
import { type Fault, type FaultContext, nobody, temporalCli, workflowIdOf } from './fault';

/** What people press of an activity that is pending. Postgres is out of the worker's reach, so that there is one. */
export function activityFaults(context: FaultContext): Fault[] {
  return [
    onPending(context, 'activity-pause', { press: ['pause'], undo: ['unpause'] }),
    onPending(context, 'activity-reset', { press: ['reset'] }),
    ...Object.entries(oddOptions).map(([name, options]) =>
      onPending(context, `activity-options-${name}`, {
        press: ['update-options', ...options],
        undo: ['update-options', '--restore-original-options'],
      }),
    ),
    onPending(context, 'activity-complete', { press: ['complete', '--result', 'null'], isOwnCart: true }),
    onPending(context, 'activity-fail', { press: ['fail', '--reason', 'by hand'], isRunning: true }),
  ];
}

/** By what they change. */
const oddOptions: Readonly<Record<string, readonly string[]>> = {
  timeout: ['--start-to-close-timeout', '1s'],
  interval: ['--retry-maximum-interval', '1h', '--retry-initial-interval', '1h'],
  attempts: ['--retry-maximum-attempts', '1'],
  limit: ['--schedule-to-close-timeout', '2s'],
};

interface Button {
  readonly press: readonly string[];
  /** What a person presses afterwards to put it right. */
  readonly undo?: readonly string[];
  /** Presses it on a cart that gets no command afterwards: a later command may hide what went wrong. */
  readonly isOwnCart?: boolean;
  /** Needs an attempt that is running: without an answer from Postgres it runs for seconds. */
  readonly isRunning?: boolean;
}

function onPending(
  context: FaultContext,
  name: string,
  { press, undo, isOwnCart = false, isRunning = false }: Button,
): Fault {
  const link = () => context.world.links['worker-postgres'];
  const pressed: (readonly string[])[] = [];
  const act = (args: readonly string[], target: readonly string[]) =>
    temporalCli(context, 'activity', ...args, ...target);
  return {
    name,
    touches: 'activities',
    async inject() {
      link().set(isRunning ? 'half-open' : context.random.pick(['cut', 'half-open']));
      const carts = isOwnCart ? [await sendToOwnCart(context)] : context.carts;
      for (const deadline = Date.now() + injectMs; ; ) {
        const found = await findPending(context, carts, isRunning, deadline);
        if (found === undefined) throw new Error('no activity became pending');
        const target = ['--workflow-id', workflowIdOf(found.cart), '--activity-id', found.activityId];
        if (await hasEnded(act(press, target))) continue;
        pressed.push(target);
        return isOwnCart ? undefined : [found.cart];
      }
    },
    async heal() {
      link().set('pass');
      for (const target of pressed.splice(0)) {
        if (undo !== undefined) await becomes(() => isUndone(act(undo, target)), 15_000);
      }
    },
  };
}

const injectMs = 8_000;
const ended = /not found|invalid activityID|already completed|not paused/i;

/** Where the activity has ended, there is nothing to undo. Where Temporal is away, it has to be tried again. */
const isUndone = (undoing: Promise<unknown>): Promise<boolean> =>
  undoing.then(
    () => true,
    ({ message }: Error) => ended.test(message),
  );

/** Whether the activity, or its attempt, ended before the button was pressed. */
const hasEnded = (pressing: Promise<unknown>): Promise<boolean> =>
  pressing.then(
    () => false,
    (error: Error) => {
      if (ended.test(error.message)) return true;
      throw error;
    },
  );

async function findPending(
  { world, random }: FaultContext,
  carts: readonly string[],
  isRunning: boolean,
  deadline: number,
): Promise<{ cart: string; activityId: string } | undefined> {
  for (; Date.now() < deadline; await delay(100)) {
    for (const cart of random.shuffle(carts)) {
      const description = await world.client.workflow
        .getHandle(workflowIdOf(cart))
        .describe()
        .catch(() => undefined);
      const [activity] = description?.raw.pendingActivities ?? [];
      const isProjection = activity?.activityType?.name === 'projectCart';
      const isReady = isRunning ? activity?.state === started : (activity?.attempt ?? 0) > 0;
      if (isProjection && isReady) return { cart, activityId: activity.activityId! };
    }
  }
  return undefined;
}

const started = temporal.api.enums.v1.PendingActivityState.PENDING_ACTIVITY_STATE_STARTED;

let ownCarts = 0;

async function sendToOwnCart({ perform }: FaultContext): Promise<string> {
  ownCarts += 1;
  const cart = `alone-${ownCarts}`;
  const ask = {
    kind: 'command',
    type: 'addItem',
    productId: 'pen',
    quantity: 1,
    key: `${cart}-key`,
    waitSeconds: 0,
  } as const;
  await perform(nobody, cart, ask);
  return cart;
}
