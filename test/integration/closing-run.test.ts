import { temporal } from '@temporalio/proto';
import { cartWorkflowId } from '../../src/contract/ids';
import { until } from '../support/until';
import { newUser, openWorld, type World } from '../support/world';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

type Service = World['client']['workflowService'];
type Task = Awaited<ReturnType<Service['pollWorkflowTaskQueue']>>;

/** Takes the next workflow task, as a worker does that is killed before it answers. */
const takeTask = (): Promise<Task> =>
  world.client.withDeadline(Date.now() + 10_000, () =>
    world.client.workflowService.pollWorkflowTaskQueue({
      namespace: world.namespace,
      taskQueue: { name: world.taskQueue },
      identity: 'killed',
    }),
  );

/** Answers a task with the end of its run, which Temporal refuses where the run has a new signal. */
const tryToEnd = ({ taskToken }: Task) =>
  world.client.workflowService.respondWorkflowTaskCompleted({
    namespace: world.namespace,
    taskToken,
    commands: [{ commandType: endOfRun, completeWorkflowExecutionCommandAttributes: {} }],
  });
const endOfRun = temporal.api.enums.v1.CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION;

it('a command for a run whose last task is at a killed worker is accepted when that task has timed out', async () => {
  const user = newUser();
  const add = (key: string) =>
    world.request('POST', `/carts/${user}/items`, { productId: 'pen', quantity: 1 }, { 'Idempotency-Key': key });
  await world.stopWorker();
  expect((await add('first')).status).toBe(202);
  const task = await takeTask();
  expect((await add('second')).status).toBe(202);
  await expect(tryToEnd(task)).rejects.toThrow(/UnhandledCommand/);
  await takeTask();
  const handle = world.client.workflow.getHandle(cartWorkflowId(user));
  await expect(handle.signal('addItem', {})).rejects.toMatchObject({
    cause: { details: expect.stringContaining('workflow is closing') },
  });
  expect((await add('third')).status).toBe(202);
  await world.startWorker();
  const version = async () => (await world.request('GET', `/carts/${user}`)).body.version;
  await until('the cart has all three commands', async () => (await version()) === 3);
});
