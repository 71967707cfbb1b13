import type { Browser, Page } from 'playwright-core';
import { allowEverybody, createAuthorize } from '../../src/access/authorize';
import { changes, reads } from '../support/attacks';
import { openBrowser } from '../support/browser';
import { openIssuer, type TestIssuer } from '../support/issuer';
import { watchRequests } from '../support/requests-seen';
import { type PageServer, servePage } from '../support/serve-page';
import { until } from '../support/until';
import { newUser, openWorld, type World } from '../support/world';

const withDownloadMs = 600_000;
/** A name that its owner lets point at the visitor's own machine. */
const pointedName = 'evil.example';

let browser: Browser;
let issuer: TestIssuer;
beforeAll(async () => {
  issuer = await openIssuer();
  browser = await openBrowser([`--host-resolver-rules=MAP ${pointedName} 127.0.0.1`]);
}, withDownloadMs);
afterAll(async () => {
  await browser?.close();
  await issuer.close();
});

/** Headers with which a user's own client calls the API. */
const asUser = async (userId: string) => ({ Authorization: `Bearer ${await issuer.sign({ sub: userId })}` });

describe('the page at /docs', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld({ authorize: createAuthorize(issuer.issuer, undefined) });
  });
  afterAll(() => world.close());

  /** Opens the page in a new context, and notes what it must not do. */
  async function openDocs() {
    const context = await browser.newContext();
    const page = await context.newPage();
    const errors: string[] = [];
    const foreign: string[] = [];
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      if (origin !== world.url && protocol !== 'data:') foreign.push(request.url());
    });
    await page.goto(`${world.url}/docs`);
    await page.locator('.opblock').first().waitFor();
    return { page, errors, foreign, close: () => context.close() };
  }

  const operationOf = (page: Page, name: string) => page.locator(`.opblock[id$="-${name}"]`);
  /** Sends a request with the page. @returns the status of the answer. */
  async function tryOut(page: Page, name: string, parameters: Record<string, string> = {}, body?: string) {
    const operation = operationOf(page, name);
    await operation.locator('.opblock-summary-control').click();
    await operation.getByRole('button', { name: 'Try it out' }).click();
    for (const [parameter, value] of Object.entries(parameters)) {
      await operation.locator(`tr[data-param-name="${parameter}"] input`).fill(value);
    }
    if (body !== undefined) await operation.locator('.body-param textarea').fill(body);
    await operation.getByRole('button', { name: 'Execute' }).click();
    const status = operation.locator('.live-responses-table tbody .response-col_status').first();
    return (await status.textContent())?.trim();
  }
  async function authorize(page: Page, scheme: string, token: string) {
    await page.getByRole('button', { name: 'Authorize', exact: true }).first().click();
    const form = page.locator('.auth-container', { hasText: scheme });
    await form.locator('input').fill(token);
    await form.getByRole('button', { name: 'Apply credentials' }).click();
    await form.getByRole('button', { name: 'Close' }).click();
  }

  it('shows every operation, and sends a request, without an error and without another origin', async () => {
    const { page, errors, foreign, close } = await openDocs();
    const { body } = await world.request('GET', '/openapi.json');
    const described = Object.values<object>(body.paths).flatMap((methods) => Object.keys(methods));
    expect(await page.locator('.opblock').count()).toBe(described.length);
    expect(await tryOut(page, 'listProducts')).toBe('200');
    expect(await operationOf(page, 'listProducts').locator('.live-responses-table').textContent()).toContain(
      'Ink, 30 ml',
    );
    expect({ errors, foreign }).toEqual({ errors: [], foreign: [] });
    // Proves that a violation of the policy would have been noticed.
    await page.evaluate(`document.body.setAttribute('style', 'color: red')`);
    await until('the violation is noticed', async () => errors.some((error) => /Content Security Policy/.test(error)));
    await close();
  });

  it('changes and reads the cart of the user whose token it has', async () => {
    const user = newUser();
    const { page, errors, close } = await openDocs();
    await authorize(page, 'bearer', await issuer.sign({ sub: user }));
    const status = await tryOut(
      page,
      'addItem',
      { userId: user, Prefer: 'wait=20' },
      JSON.stringify({ productId: 'pen', quantity: 2 }),
    );
    expect(status).toBe('200');
    expect(await tryOut(page, 'readCart', { userId: user })).toBe('200');
    const { body } = await world.request('GET', `/carts/${user}`, undefined, await asUser(user));
    expect(body).toMatchObject({ version: 1, itemCount: 2 });
    expect(errors).toEqual([]);
    await close();
  });
});

describe.each([
  ['AUTH=off', false],
  ['tokens', true],
])('with %s, a page of another origin', (_name, hasTokens) => {
  let world: World;
  let server: PageServer;
  beforeAll(async () => {
    world = await openWorld({ authorize: hasTokens ? createAuthorize(issuer.issuer, undefined) : allowEverybody });
    server = await servePage();
  });
  afterAll(async () => {
    await server.close();
    await world.close();
  });

  const origins = {
    'at another port of the same address': () => ({ page: server.urlOf('127.0.0.1'), api: world.url }),
    'at another name': () => ({ page: server.urlOf('localhost'), api: world.url }),
    'at a name that points at the API': () => {
      const url = world.url.replace('127.0.0.1', pointedName);
      return { page: url, api: url };
    },
  };

  /**
   * Lets a page of the origin run a script against the cart of a new user, which has two pens.
   * @returns what the page has read, the different answers of the API, and what the cart and its log are after one more
   *   command of the user, which comes after all that was accepted before.
   */
  async function attack(origin: keyof typeof origins, script: string) {
    const user = newUser();
    const headers = hasTokens ? await asUser(user) : {};
    const place = `/carts/${user}`;
    const own = { ...headers, Prefer: 'wait=20' };
    await world.request('POST', `${place}/items`, { productId: 'pen', quantity: 2 }, own);
    const { page: address, api } = origins[origin]();
    // At the pointed name, the page is a problem of the API: it has the origin, but its policy allows no requests.
    const context = await browser.newContext({ bypassCSP: true });
    const requests = watchRequests(world.url);
    try {
      const page = await context.newPage();
      await page.goto(address);
      const call = `(async (cart, headers) => { ${script} })(${JSON.stringify(api + place)}, ${JSON.stringify(headers)})`;
      const read = await page.evaluate(call).catch((error: Error) => error.message);
      const answers = await until('the API has answered', async () => {
        const seen = requests.seen.filter(({ url }) => url.startsWith(place));
        // After a 421 a browser asks once more, on another connection.
        return seen.length > 0 && [...new Set(seen.map(({ method, status }) => `${method} ${status}`))];
      });
      const { body: cart } = await world.request('PUT', `${place}/items/pen`, { quantity: 3 }, own);
      const { body } = await world.request('GET', `${place}/events?rejected=include`, undefined, headers);
      const commands = body.events.map((event: { command: string }) => event.command);
      return { read, answers, after: { cart, commands } };
    } finally {
      requests.stopWatching();
      await context.close();
    }
  }

  const untouched = {
    cart: expect.objectContaining({ version: 2, items: [expect.objectContaining({ productId: 'pen', quantity: 3 })] }),
    commands: ['addItem', 'changeItemQuantity'],
  };

  describe.each(Object.keys(origins) as (keyof typeof origins)[])('%s', (origin) => {
    const isPointed = origin === 'at a name that points at the API';

    it.each(Object.entries(changes))('changes nothing with %s', async (_attack, { script, answers }) => {
      const attacked = await attack(origin, script);
      expect(attacked.answers).toEqual(isPointed ? answers.pointed : answers.other);
      expect(attacked.after).toEqual(untouched);
    });

    it.each(Object.entries(reads))('reads nothing with %s', async (_attack, script) => {
      const attacked = await attack(origin, script);
      expect(attacked.read).not.toMatch(/pen/i);
      expect(attacked.after).toEqual(untouched);
    });
  });
});
