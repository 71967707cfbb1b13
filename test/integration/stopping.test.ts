import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { z } from 'zod';
import { cartWorkflowId } from '../../src/contract/ids';
import type { ServedRoute } from '../../src/http/route';
import { type KeptAliveAnswer, openKeptAlive, sendUntilClosed } from '../support/kept-alive';
import { serve, type TestServer } from '../support/serve';
import { until } from '../support/until';
import { newUser, openWorld, type World } from '../support/world';

const echo: ServedRoute = {
  name: 'echo',
  method: 'post',
  path: '/echo',
  summary: 'Answers with the body',
  access: 'everybody',
  rate: 'public',
  body: z.unknown(),
  answers: { 200: { description: 'The body.' } },
  problems: {},
  handle: async ({ body }) => ({ status: 200, body }),
};

/** Longer than any test may take: what waits for this fails. */
const never = 3_600_000;

describe('a server that is closed', () => {
  let server: TestServer;
  const sockets: Socket[] = [];
  beforeEach(async () => {
    server = await serve([echo]);
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await server.close();
  });

  /** Opens a connection, sends the text, and resolves when the server has closed the connection. */
  async function openSocket(sent: string): Promise<{ closed: Promise<string> }> {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    sockets.push(socket);
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk;
    });
    const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(received)));
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    await new Promise((resolve) => socket.write(sent, resolve));
    return { closed };
  }
  const headers = (length: number) =>
    `POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
  /** The server handles connections in their order, so it has the earlier ones when it answers this one. */
  const untilAccepted = async () => expect((await fetch(`${server.url}/livez`)).status).toBe(200);

  it('closes idle connections soon, with and without an earlier request', async () => {
    const unused = await openSocket('');
    const used = await openSocket(`${headers(2)}{}`);
    await untilAccepted();
    await server.close(never);
    expect(await unused.closed).toBe('');
    expect(await used.closed).toContain('200 OK');
  });

  it('answers a request whose body arrives while it closes, and says that it closes the connection', async () => {
    const port = Number(new URL(server.url).port);
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    await once(socket, 'connect');
    socket.write(`${headers(2)}{`);
    await untilAccepted();
    const closing = server.close(never);
    socket.write('}');
    let received = '';
    for await (const chunk of socket) received += chunk;
    expect(received).toMatch(/^HTTP\/1.1 200 OK/);
    expect(received).toMatch(/^Connection: close\r$/m);
    await closing;
  });

  it.each([
    ['of the headers', 'GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Half'],
    ['of the body', `${headers(100)}{"half":`],
  ])('cuts a request of which only a part %s arrives, after the grace time', async (_part, sent) => {
    const half = await openSocket(sent);
    await untilAccepted();
    await server.close(1_000);
    expect(await half.closed).toBe('');
  });

  it('answers clients whose connections the system had accepted before the server closed', async () => {
    const clients = Array.from({ length: 50 }, () => openKeptAlive(server.url));
    const answers = clients.map((client) => client.send('GET', '/livez'));
    // The clients connect at the end of this tick, the server would take their connections in later ones.
    await new Promise(process.nextTick);
    await server.close(never);
    for (const answer of answers) expect(await answer).toMatchObject({ status: 200, headers: { connection: 'close' } });
    for (const client of clients) client.close();
  });

  it('accepts no new connection', async () => {
    await server.close();
    await expect(fetch(`${server.url}/livez`)).rejects.toThrow();
  });
});

describe('a process that is stopping', () => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld();
  });
  afterEach(() => world.close());

  it('fails no request of 50 clients that keep their connections and send all the time', async () => {
    const answers: KeptAliveAnswer[] = [];
    const clients = Array.from({ length: 50 }, (_, number) => {
      const cart = `/carts/${newUser()}`;
      return sendUntilClosed(
        world.url,
        (client, index) =>
          (number + index) % 3 === 0
            ? client.send('POST', `${cart}/items`, { body: { productId: 'pen' }, prefer: 'wait=10' })
            : client.send('GET', cart),
        (answer) => answers.push(answer),
      );
    });
    await until('all of them have sent some', async () => answers.length > 300);
    await world.stopServing();
    await Promise.all(clients);
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200, 202]));
    expect(answers.filter((answer) => answer.headers.connection === 'close')).toHaveLength(50);
  });

  it('is not ready', async () => {
    const client = openKeptAlive(world.url);
    expect(await client.send('GET', '/readyz')).toMatchObject({ status: 200 });
    const stopped = world.stopServing();
    expect(await client.send('GET', '/readyz')).toMatchObject({
      status: 503,
      headers: { connection: 'close' },
      body: '{"status":"stopping","checks":{}}',
    });
    await stopped;
    client.close();
  });

  it('answers a command that waits for its outcome with 202 at once, and the command is applied', async () => {
    await world.stopWorker();
    const user = newUser();
    const client = openKeptAlive(world.url);
    const answer = client.send('POST', `/carts/${user}/items`, { body: { productId: 'pen' }, prefer: 'wait=30' });
    const workflow = world.client.workflow.getHandle(cartWorkflowId(user));
    await until('Temporal has the command', () =>
      workflow.describe().then(
        () => true,
        () => false,
      ),
    );
    const stopped = world.stopServing();
    const { status, headers, body } = await answer;
    const { commandId } = JSON.parse(body);
    expect({ status, body: JSON.parse(body) }).toEqual({ status: 202, body: { commandId, status: 'accepted' } });
    expect(headers).toMatchObject({ connection: 'close', location: `/carts/${user}/commands/${commandId}` });
    await stopped;
    client.close();
    await world.startWorker();
    await until('the command is applied', async () => {
      const found = await world.db('cart_commands').where({ user_id: user, command_id: commandId }).first('outcome');
      return found?.outcome === 'applied';
    });
  });

  it('answers a read that waits for a version as when its time is up, at once', async () => {
    const client = openKeptAlive(world.url);
    await client.send('GET', '/livez');
    const answer = client.send('GET', `/carts/${newUser()}?minVersion=1`);
    await world.request('GET', '/readyz');
    const stopped = world.stopServing();
    const { status, headers, body } = await answer;
    expect({ status, body: JSON.parse(body) }).toMatchObject({
      status: 404,
      body: { code: 'version_not_reached', newestVersion: 0 },
    });
    expect(headers).toMatchObject({ connection: 'close', 'retry-after': '1' });
    await stopped;
    client.close();
  });
});
