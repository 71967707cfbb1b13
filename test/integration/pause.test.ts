import { randomUUID } from 'node:crypto';
import { cartWorkflowId } from '../../src/contract/ids';
import { searchAttributeTypes } from '../../src/contract/search-attributes';
import { deliverLeftBehind } from '../../src/delivery/deliver';
import { endUnreadableRuns } from '../../src/delivery/unreadable-runs';
import { freePort } from '../../src/embedded/ports';
import { type EmbeddedTemporal, startTemporal } from '../../src/embedded/temporal/dev-server';
import { verifyUser } from '../../src/recovery/verify-all';
import { buttonsOf } from '../support/buttons';
import { expectSdkLog } from '../support/sdk-log';
import { until } from '../support/until';
import { newUser, openWorld, type World } from '../support/world';

let server: EmbeddedTemporal;
let world: World;
beforeAll(async () => {
  server = await startTemporal({
    cliPath: process.env.TEST_TEMPORAL_CLI!,
    port: await freePort(),
    logFile: '/dev/null',
    namespace: 'default',
    searchAttributes: searchAttributeTypes,
    // The button is off by default.
    dynamicConfig: { 'frontend.WorkflowPauseEnabled': true },
    log: () => {},
  });
  world = await openWorld({ temporalAddress: server.address });
});
afterAll(async () => {
  await world.close();
  await server.stop();
});

const add = (user: string, headers: Record<string, string> = { Prefer: 'wait=30' }) =>
  world.request('POST', `/carts/${user}/items`, { productId: 'pen' }, headers);
const source = () => ({ client: world.client, db: world.db });
const pressed = (user: string) => ({
  ...{ namespace: world.namespace, workflowId: cartWorkflowId(user) },
  ...{ identity: 'test', reason: 'pressed', requestId: randomUUID() },
});
const pause = (user: string) => world.client.workflowService.pauseWorkflowExecution(pressed(user));
const unpause = (user: string) => world.client.workflowService.unpauseWorkflowExecution(pressed(user));

it('a cart that is paused decides nothing, and goes on when that ends', async () => {
  const user = newUser();
  await add(user);
  await pause(user);
  expect((await add(user, { Prefer: 'wait=1' })).status).toBe(202);
  await unpause(user);
  expect((await add(user)).body).toMatchObject({ version: 3 });
  expect(await endUnreadableRuns(source())).toEqual([]);
});

it('a run that cannot be replayed since it was paused is ended, and what it had received is delivered', async () => {
  const user = newUser();
  await add(user);
  await world.stopWorker();
  const { body: accepted } = await add(user, {});
  await pause(user);
  await world.startWorker();
  await unpause(user);
  await expectSdkLog(/WorkflowTaskMachine in state Scheduled says the transition is invalid/);
  await until('the run is ended', async () => (await endUnreadableRuns(source())).length === 1);
  await until('its command is delivered', async () => {
    await deliverLeftBehind(source(), world.taskQueue, { userId: user });
    return (await world.request('GET', `/carts/${user}/commands/${accepted.commandId}`)).status === 200;
  });
  expect((await add(user)).body).toMatchObject({ version: 3, itemCount: 3 });
  expect((await verifyUser(source(), user)).findings).toEqual([]);
  expect((await buttonsOf(world, user).handle().describe()).status.name).toBe('RUNNING');
});
