import { randomUUID } from 'node:crypto';
import type { WorkflowExecutionDescription } from '@temporalio/client';
import { becomes } from '../world/servers';
import { type Fault, type FaultContext, nothingToHeal, replace, temporalCli, workflowIdOf } from './fault';
import { type ResetPoint, resetRun } from './reset';

const workflowType = 'cartWorkflow';
const taskQueue = 'carts';

/** What people press in Temporal's Web UI, of the run of one cart or of several. */
export function buttonFaults(context: FaultContext): Fault[] {
  return [
    onOneCart(context, 'cancel', async (id) => void (await handle(context, id).cancel())),
    ...[
      onOneCart(context, 'terminate', async (id) => void (await handle(context, id).terminate('by hand'))),
      ...(['first', 'last', 'random'] as const).map((point) =>
        onOneCart(context, `reset-${point}`, (id) => reset(context, id, point)),
      ),
      batch(context, 'batch-terminate', { terminationOperation: { identity: 'torture' } }),
      batch(context, 'batch-reset', { resetOperation: { identity: 'torture', options: { lastWorkflowTask: {} } } }),
    ].map((fault) => ({ ...fault, endsRuns: true })),
    pauseRun(context),
    startUnderOtherId(context),
    startWithArgument(context),
    onOneCart(context, 'delete', (id) => remove(context, id)),
  ];
}

const handle = ({ world }: FaultContext, workflowId: string) => world.client.workflow.getHandle(workflowId);

function onOneCart(context: FaultContext, name: string, press: (workflowId: string) => Promise<void>): Fault {
  return {
    name,
    touches: 'carts',
    async inject() {
      const cart = context.random.pick(context.carts);
      await press(workflowIdOf(cart));
      return [cart];
    },
    heal: nothingToHeal,
  };
}

async function reset(context: FaultContext, workflowId: string, point: ResetPoint): Promise<void> {
  await resetRun(context.world.client, workflowId, point, context.random);
}

async function remove({ world }: FaultContext, workflowId: string): Promise<void> {
  await world.client.workflowService.deleteWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId },
  });
}

type BatchOperation = Parameters<FaultContext['world']['client']['workflowService']['startBatchOperation']>[0];

/** A batch over three carts, started and waited for as the Web UI does it. */
function batch({ world, random, carts }: FaultContext, name: string, operation: BatchOperation): Fault {
  return {
    name,
    touches: 'carts',
    async inject() {
      const chosen = random.shuffle(carts).slice(0, 3);
      const service = world.client.workflowService;
      const open = await Promise.all(chosen.map((cart) => describe(world.client, cart)));
      const executions = open.flatMap((run) =>
        run === undefined ? [] : [{ workflowId: run.workflowId, runId: run.runId }],
      );
      if (executions.length === 0) throw new Error('none of the chosen carts has a run');
      await service.startBatchOperation({
        ...{ namespace: 'default', jobId: randomUUID(), reason: 'by hand' },
        executions,
        ...operation,
      });
      return chosen;
    },
    heal: nothingToHeal,
  };
}

async function describe(
  client: FaultContext['world']['client'],
  cart: string,
): Promise<WorkflowExecutionDescription | undefined> {
  const description = await client.workflow
    .getHandle(workflowIdOf(cart))
    .describe()
    .catch(() => undefined);
  return description?.status.name === 'RUNNING' ? description : undefined;
}

function pauseRun(context: FaultContext): Fault {
  const paused = new Set<string>();
  return {
    name: 'pause-workflow',
    touches: 'carts',
    async inject() {
      const cart = context.random.pick(context.carts);
      await temporalCli(context, 'workflow', 'pause', '--workflow-id', workflowIdOf(cart), '--reason', 'by hand');
      paused.add(cart);
      return [cart];
    },
    async heal() {
      for (const cart of paused) {
        const isUnpaused = await becomes(() => unpause(context, cart), 15_000);
        if (isUnpaused) paused.delete(cart);
      }
    },
  };
}

/** @returns whether the cart has no paused run any more. */
async function unpause(context: FaultContext, cart: string): Promise<boolean> {
  const target = ['--workflow-id', workflowIdOf(cart), '--reason', 'by hand'];
  return temporalCli(context, 'workflow', 'unpause', ...target).then(
    () => true,
    ({ message }: Error) => /not found|already completed|not paused/i.test(message),
  );
}

/** Runs of the cart's type under ids that are no cart's. They must do nothing to a cart, nor stop a worker. */
function startUnderOtherId(context: FaultContext): Fault {
  let runs = 0;
  return {
    name: 'start-other-id',
    touches: 'carts',
    async inject() {
      for (const prefix of ['', 'cart', 'cart: ', 'basket:', 'cart:with space ', 'cart:ä']) {
        runs += 1;
        const workflowId = `${prefix}${runs}`;
        await context.world.client.workflow.start(workflowType, { workflowId, taskQueue });
        await handle(context, workflowId).signal('addItem', { commandId: `other-${runs}` });
      }
      return undefined;
    },
    heal: nothingToHeal,
  };
}

const madeUpCheckpoint = {
  cart: { version: 7, currency: null, items: [], updatedAt: null },
  sequence: 7,
  recentCommandIds: [],
};

/** Arguments that people make up, or copy from another run. */
const madeUpArguments: readonly (readonly unknown[])[] = [
  [null],
  ['cart'],
  [{}],
  [{ schema: 1 }],
  [{ schema: 99, checkpoint: {}, unprojected: [] }],
  [{ schema: 1, checkpoint: madeUpCheckpoint, unprojected: [] }],
];

/** Runs of carts that nobody has used yet, started with an argument. Clients use these carts until the next ones. */
function startWithArgument({ world, carts }: FaultContext): Fault {
  let runs = 0;
  let earlier: readonly string[] = [];
  return {
    name: 'start-with-argument',
    touches: 'carts',
    async inject() {
      const started: string[] = [];
      for (const args of madeUpArguments) {
        runs += 1;
        const cart = `started-${runs}`;
        await world.client.workflow.start(workflowType, { workflowId: workflowIdOf(cart), taskQueue, args: [...args] });
        started.push(cart);
      }
      replace(carts, earlier, started);
      earlier = started;
      return started;
    },
    heal: nothingToHeal,
  };
}
