import { cartWorkflowId } from '../../src/contract/ids';
import { deliverLeftBehind } from '../../src/delivery/deliver';
import { buttonsOf } from '../support/buttons';
import { until } from '../support/until';
import { newUser, openWorld, type World } from '../support/world';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

it('a run whose history cannot be read keeps no other cart waiting, and is named', async () => {
  const users = [newUser('unreadable'), newUser('readable'), newUser('readable')];
  await world.stopWorker();
  for (const user of users) {
    const { status } = await world.request('POST', `/carts/${user}/items`, { productId: 'pen' });
    expect(status).toBe(202);
    await buttonsOf(world, user).terminate();
  }
  const [unreadable, ...others] = users.map(cartWorkflowId);
  const getHandle = world.client.workflow.getHandle.bind(world.client.workflow);
  const spy = jest.spyOn(world.client.workflow, 'getHandle').mockImplementation((workflowId, ...rest) => {
    if (workflowId === unreadable) throw new Error('broken history');
    return getHandle(workflowId, ...rest);
  });
  const isOpen = async (workflowId: string) => (await getHandle(workflowId).describe()).status.name === 'RUNNING';
  try {
    await until('the other carts have an open run again', async () => {
      const source = { client: world.client, db: world.db };
      const swept = await deliverLeftBehind(source, world.taskQueue).catch((error: Error) => error);
      const isNamed = swept instanceof Error && swept.message.includes(`of ${unreadable}: broken history`);
      return isNamed && (await Promise.all(others.map(isOpen))).every(Boolean);
    });
  } finally {
    spy.mockRestore();
  }
});
