import { connect } from 'node:net';
import { type KeptAliveAnswer, openKeptAlive, sendUntilClosed } from '../support/kept-alive';
import { openProxy } from '../support/proxy';
import { openRoleProcesses, type RoleProcesses } from '../support/role-processes';
import { until } from '../support/until';
import { newUser } from '../support/world';

let roles: RoleProcesses;
beforeAll(async () => {
  roles = await openRoleProcesses('stop-roles');
});
afterAll(() => roles.close());

/**
 * Starts twenty clients that send requests all the time until the server closes their connections.
 * @returns a function that returns the statuses of all answers. It fails if a request got no answer.
 */
async function startLoad(url: string, send: Parameters<typeof sendUntilClosed>[1]) {
  const answers: KeptAliveAnswer[] = [];
  const clients = Array.from({ length: 20 }, () => sendUntilClosed(url, send, (answer) => answers.push(answer)));
  const done = Promise.all(clients);
  await until('requests are answered', async () => answers.length >= 120);
  return async () => {
    await done;
    return [...new Set(answers.map(({ status }) => status))].sort();
  };
}

const addPen: Parameters<typeof sendUntilClosed>[1] = (client) =>
  client.send('POST', `/carts/${newUser()}/items`, { body: { productId: 'pen' }, prefer: 'wait=30' });

describe('SIGTERM', () => {
  it('ends the worker, then the command API, under load, with code 0', async () => {
    const [commands, worker] = await Promise.all([roles.start('main-commands'), roles.start('main-worker')]);
    const statuses = await startLoad(commands.url, addPen);
    const stopped = await worker.stop();
    expect(stopped).toMatchObject({ code: 0, output: 'SIGTERM: stopping\n' });
    // Without a worker, every client waits for the outcome of its command.
    const stoppedCommands = await commands.stop();
    expect(stoppedCommands).toMatchObject({ code: 0, output: 'SIGTERM: stopping\n' });
    expect(await statuses()).toEqual([200, 202]);
  });

  it('ends the query API under load, with code 0, and an idle and a half request do not keep it', async () => {
    const queries = await roles.start('main-queries');
    const idle = openKeptAlive(queries.url);
    await idle.send('GET', '/livez');
    const half = connect(Number(new URL(queries.url).port), '127.0.0.1', () => half.write('GET / HTTP/1.1\r\nX-Half'));
    half.on('error', () => undefined);
    // After 120 answers, each of the 20 clients waits for a version.
    const statuses = await startLoad(queries.url, (client, index) =>
      client.send('GET', `/carts/${newUser()}${index < 6 ? '' : '?minVersion=1'}`),
    );
    const stopped = await queries.stop();
    expect(stopped).toMatchObject({ code: 0, output: 'SIGTERM: stopping\n' });
    expect(await statuses()).toEqual([200, 404]);
    half.destroy();
    idle.close();
  });

  it('ends the roles with code 0 while Postgres does not answer', async () => {
    const postgres = new URL(roles.databaseUrl);
    const proxy = await openProxy(postgres.hostname, Number(postgres.port));
    const proxiedUrl = Object.assign(new URL(roles.databaseUrl), { port: String(proxy.port) }).href;
    const started = await Promise.all(
      (['main-commands', 'main-worker'] as const).map((main) => roles.start(main, proxiedUrl)),
    );
    const statuses = await startLoad(started[0]!.url, addPen);
    proxy.set('swallow');
    for (const stopped of await Promise.all(started.map((role) => role.stop()))) {
      expect(stopped).toMatchObject({ code: 0 });
    }
    expect(await statuses()).toEqual([200, 202]);
    await proxy.close();
  });
});
