import { openRoleProcesses, type RoleProcesses } from '../support/role-processes';
import { newUser } from '../support/world';

let roles: RoleProcesses;
beforeAll(async () => {
  roles = await openRoleProcesses('failover');
});
afterAll(() => roles.close());

/** Adds a pen to the cart and waits for the outcome. @returns the number of pens then. */
async function addPen(url: string, user: string): Promise<number> {
  const response = await fetch(`${url}/carts/${user}/items`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Prefer: 'wait=30' },
    body: JSON.stringify({ productId: 'pen' }),
  });
  const { itemCount } = (await response.json()) as { itemCount: number };
  return itemCount;
}

describe.each(['SIGKILL', 'SIGSTOP'] as const)('carts whose worker gets %s', (signal) => {
  it('go on at another worker, and nothing is lost or doubled', async () => {
    const [commands, first] = [await roles.start('main-commands'), await roles.start('main-worker')];
    const users = Array.from({ length: 30 }, () => newUser());
    await Promise.all(users.map((user) => addPen(commands.url, user)));
    await roles.start('main-worker');
    // Half of the commands come while the worker is at work on them, half come after its end.
    const during = users.map((user) => addPen(commands.url, user));
    first.child.kill(signal);
    const after = users.map((user) => addPen(commands.url, user));
    expect((await Promise.all([...during, ...after])).every((pens) => pens === 2 || pens === 3)).toBe(true);
    expect(await Promise.all(users.map((user) => addPen(commands.url, user)))).toEqual(users.map(() => 4));
  });
});
