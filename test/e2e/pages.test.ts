import { readdirSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import pino from 'pino';
import type { Browser, Page } from 'playwright-core';
import { allowEverybody } from '../../src/access/authorize';
import { freePort } from '../../src/embedded/ports';
import { listen } from '../../src/http/app';
import { project } from '../../src/postgres/projection/project';
import { openQueryApi } from '../../src/roles/query-api';
import { appOf } from '../../src/roles/serve';
import { openBrowser, signIn } from '../support/browser';
import { openIssuer, type TestIssuer } from '../support/issuer';
import { type CartView, longLife } from '../support/long-life';
import { openTab, openWorldWithPages, pagesRole, watchTab } from '../support/pages';
import { openProxy } from '../support/proxy';
import { randomNumbers } from '../support/random';
import { until } from '../support/until';
import { newUser, openWorld, type World } from '../support/world';

const withDownloadMs = 600_000;
const folder = path.resolve(__dirname, '../../.tmp/pages');
/** Runs axe in the page. @returns each violation, and where it is. */
const findViolations = `axe.run().then(({ violations }) =>
  violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]))`;
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

let browser: Browser;
let issuer: TestIssuer;
let world: World;
beforeAll(async () => {
  issuer = await openIssuer();
  browser = await openBrowser();
  world = await openWorldWithPages(issuer);
  await mkdir(folder, { recursive: true });
}, withDownloadMs);
afterAll(async () => {
  await browser?.close();
  await world?.close();
  await issuer.close();
});

const tokenOf = (userId: string) => issuer.sign({ sub: userId });
const staffToken = (...scopes: string[]) => issuer.sign({ sub: 'sam', aud: 'carts-staff', scope: scopes.join(' ') });
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

const cartIn = (page: Page) => page.locator('.cart');
const atVersion = (page: Page, version: number) =>
  page.locator(`.cart[aria-busy=false] .version[data-version="${version}"]`);
const quantityOf = (page: Page, name: string) => cartIn(page).getByLabel(`Quantity of ${name}`);

/** The cart at the moment: not one of the two that are compared. */
const mainMoment = 'section[aria-labelledby=moment] > .moment';

/** Reads in the page what the time machine shows. */
const readMoment = `(() => {
  const moment = document.querySelector('${mainMoment}');
  const rows = [...moment.querySelectorAll('tbody tr')];
  return {
    version: Number(moment.dataset.version),
    lines: rows.map((row) => [row.dataset.line, Number(row.querySelector('td').textContent)]),
    note: moment.querySelector('.note-text')?.textContent.replace(/^Note /, '') ?? null,
  };
})()`;

/** What the time machine shows, as the API says it. */
async function shownAt(page: Page, version: number): Promise<unknown> {
  await page.locator(`${mainMoment}[data-version="${version}"]`).waitFor();
  return page.evaluate(readMoment);
}
const asShown = ({ version, items, note }: Pick<CartView, 'version' | 'items' | 'note'>) => ({
  version,
  lines: items.map(({ lineId, quantity }) => [lineId, quantity]),
  note,
});

const travelTo = (page: Page, version: number) => page.locator('.slider input').fill(String(version));

describe('a stranger', () => {
  it('shops in two tabs, signs in, travels through time, restores and buys', async () => {
    const user = newUser('alice');
    const token = await tokenOf(user);
    const read = async (query: string) =>
      (await world.request('GET', `/carts/${user}${query}`, undefined, bearer(token))).body;
    const first = await openTab(browser, `${world.url}/shop`);
    const { page } = first;
    await page.getByRole('button', { name: 'Add Pen' }).click();
    await atVersion(page, 1).waitFor();
    await page.getByRole('button', { name: 'One Pen more' }).click();
    await page.getByRole('button', { name: 'Add Ink, 30 ml' }).click();
    await atVersion(page, 3).waitFor();
    expect(await quantityOf(page, 'Pen').textContent()).toBe('2');

    const second = await watchTab(await page.context().newPage(), `${world.url}/shop`);
    await atVersion(second.page, 3).waitFor();
    await second.page.getByRole('button', { name: 'Add Pad' }).click();
    await atVersion(page, 4).waitFor();
    expect(await quantityOf(page, 'Pad').textContent()).toBe('1');

    await world.request(
      'POST',
      `/carts/${user}/items`,
      { productId: 'pen', quantity: 1 },
      { ...bearer(token), Prefer: 'wait=20' },
    );
    await signIn(page, token);
    await page.locator('.merged').waitFor();
    await until('the merged cart is shown', async () => (await quantityOf(page, 'Pen').textContent()) === '3');
    await until('the other tab follows', async () => (await quantityOf(second.page, 'Pen').textContent()) === '3');

    await cartIn(page).getByLabel('Note').fill('Please ring twice.');
    await cartIn(page).getByLabel('Note').blur();
    const merged = await until('the note is in the cart', async () => {
      const cart = await read('');
      return cart.note === null ? undefined : cart;
    });
    const newest = merged.version;

    await page.getByRole('link', { name: 'Time machine' }).click();
    await page.locator('.moment').waitFor();
    for (const version of [0, 1, 2, newest - 1, newest]) {
      await travelTo(page, version);
      expect(await shownAt(page, version)).toEqual(asShown(await read(`?version=${version}`)));
    }
    const { events } = await read('/events');
    for (const { occurredAt } of [events[0], events[2], events.at(-1)]) {
      await page.locator('.instant input').fill(occurredAt.replace('Z', ''));
      await page.getByRole('button', { name: 'Go' }).click();
      const at = await read(`?at=${occurredAt}`);
      expect(await shownAt(page, at.version)).toEqual(asShown(at));
    }

    await travelTo(page, 1);
    await shownAt(page, 1);
    await page.getByRole('button', { name: 'Pin this moment' }).click();
    await travelTo(page, newest);
    await shownAt(page, newest);
    const difference = await read(`/diff?from=1&to=${newest}`);
    const comparison = page.locator('.comparison > table tbody tr');
    await until('the difference is shown', async () => (await comparison.count()) === difference.items.length);
    for (const { name, change } of difference.items) {
      await page.locator(`.comparison tr.${change}`, { hasText: name }).waitFor();
    }
    await page.locator('.chain.intact').waitFor();

    await travelTo(page, 2);
    await shownAt(page, 2);
    await page.getByRole('button', { name: 'Restore version 2' }).click();
    await page.locator(`${mainMoment}[data-version="${newest + 1}"]`).waitFor();
    expect((await read('')).items).toEqual(
      (await read('?version=2')).items.map((item: object) => expect.objectContaining(item)),
    );

    await page.getByRole('link', { name: 'Shop' }).click();
    await page.getByRole('button', { name: /^Buy for/ }).click();
    await page.getByText(/^Bought for/).waitFor();
    const { events: bought } = await read('/events?type=CartCheckedOut');
    expect(bought).toHaveLength(1);
    for (const { errors, foreign } of [first, second]) expect([errors, foreign]).toEqual([[], []]);
    await page.context().close();
  });

  it('reads why a command was rejected, and the cart is as it was', async () => {
    const { page } = await openTab(browser, `${world.url}/shop`);
    await page.getByRole('button', { name: 'Add Pad' }).click();
    await atVersion(page, 1).waitFor();
    for (let count = 2; count <= 10; count += 1) await page.getByRole('button', { name: 'One Pad more' }).click();
    await atVersion(page, 10).waitFor();
    await page.getByRole('button', { name: 'One Pad more' }).click();
    await cartIn(page).getByRole('alert').waitFor();
    expect(await cartIn(page).getByRole('alert').textContent()).toBe('The cart cannot hold that many of it.');
    expect(await quantityOf(page, 'Pad').textContent()).toBe('10');
    await page.context().close();
  });

  it('is told that the API is away, and the page recovers by itself', async () => {
    const proxy = await openProxy('127.0.0.1', Number(new URL(world.url).port));
    try {
      const { page } = await openTab(browser, `http://127.0.0.1:${proxy.port}/shop`);
      await page.getByRole('button', { name: 'Add Pen' }).click();
      await atVersion(page, 1).waitFor();
      proxy.set('refuse');
      await page.getByText('The connection is lost.').waitFor();
      await page.getByRole('button', { name: 'One Pen more' }).click();
      expect(await quantityOf(page, 'Pen').textContent()).toBe('2');
      proxy.set('pass');
      await atVersion(page, 2).waitFor();
      await page.getByText('The connection is lost.').waitFor({ state: 'detached' });
      expect(await quantityOf(page, 'Pen').textContent()).toBe('2');
      await page.context().close();
    } finally {
      await proxy.close();
    }
  });
});

it('the scripts and styles of the pages are less than 150 kB together, compressed', () => {
  const assets = path.resolve(__dirname, '../../web/dist/assets');
  const sizes = readdirSync(assets)
    .filter((name) => /\.(js|css)$/.test(name))
    .map((name) => gzipSync(readFileSync(path.join(assets, name))).length);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(150_000);
});

it('the pages work where the language of the browser is none', async () => {
  const context = await browser.newContext();
  await context.addInitScript("Object.defineProperty(navigator, 'language', { value: 'en-US@posix' })");
  const { page, errors } = await watchTab(await context.newPage(), `${world.url}/shop`);
  await page.getByRole('button', { name: 'Add Pen' }).click();
  await atVersion(page, 1).waitFor();
  await page.getByRole('link', { name: 'Time machine' }).click();
  await page.locator('.moment[data-version="1"]').waitFor();
  await page.getByText('Value and lines over versions').waitFor();
  expect(errors).toEqual([]);
  await context.close();
});

describe('the time machine', () => {
  it('shows 50 random versions of a cart of 5,000 events as the API does', async () => {
    const seed = 4_711;
    const user = newUser('old');
    const { decisions } = longLife(user, 5_000, seed);
    for (let from = 0; from < decisions.length; from += 500) {
      await world.db.transaction((trx) => project(trx, user, decisions.slice(from, from + 500)));
    }
    const token = await tokenOf(user);
    const { page } = await openTab(browser, `${world.url}/time/${user}`);
    await signIn(page, token);
    await page.getByText('5000 events', { exact: true }).waitFor();
    const random = randomNumbers(seed);
    for (let n = 0; n < 50; n += 1) {
      const version = Math.floor(random() * 5_001);
      await travelTo(page, version);
      const { body } = await world.request('GET', `/carts/${user}?version=${version}`, undefined, bearer(token));
      expect(await shownAt(page, version)).toEqual(asShown(body));
    }
    await page.context().close();
  });

  it('shows nobody the cart of another customer', async () => {
    const alice = newUser('alice');
    await world.request(
      'POST',
      `/carts/${alice}/items`,
      { productId: 'pen' },
      { ...bearer(await tokenOf(alice)), Prefer: 'wait=20' },
    );
    const { page } = await openTab(browser, `${world.url}/time/${alice}`);
    await signIn(page, await tokenOf(newUser('mallory')));
    await page.getByRole('alert').first().waitFor();
    expect(await page.locator('.moment').count()).toBe(0);
    await page.context().close();
  });
});

describe('the page of the operators', () => {
  it('shows staff what is going on, finds carts, and gives reports as CSV', async () => {
    const user = newUser('found');
    const token = await tokenOf(user);
    await world.request('POST', `/carts/${user}/items`, { productId: 'pen' }, { ...bearer(token), Prefer: 'wait=20' });
    await world.request(
      'POST',
      `/carts/${user}/checkout`,
      { expectedTotal: 1 },
      { ...bearer(token), Prefer: 'wait=20' },
    );
    const { page, errors, foreign } = await openTab(browser, `${world.url}/ops`);
    await signIn(page, await staffToken('reports:read', 'carts:read'));
    await page.getByText('total_mismatch').waitFor();
    await page.getByLabel('User begins with').fill(user);
    await page.getByRole('button', { name: 'Find', exact: true }).click();
    const found = page.getByRole('table', { name: '1 cart' }).getByRole('link', { name: user });
    await found.waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'CSV' }).first().click(),
    ]);
    expect(download.suggestedFilename()).toBe('carts.csv');
    await found.click();
    await page.getByText('checkOut was rejected').waitFor();
    expect([errors, foreign]).toEqual([[], []]);
    await page.context().close();
  });

  it('shows customers nothing', async () => {
    const { page } = await openTab(browser, `${world.url}/ops`);
    await signIn(page, await tokenOf(newUser('alice')));
    await page.getByText('This page is for staff').waitFor();
    await page.context().close();
  });
});

describe('without tokens', () => {
  it('everything works, and the name of a user is enough', async () => {
    const open = await openWorld({ roles: [pagesRole({ isOpen: true })] });
    try {
      const { page, errors } = await openTab(browser, `${open.url}/ops`);
      await signIn(page, 'alice');
      await page.getByText('open carts').first().waitFor();
      await page.getByRole('link', { name: 'Shop' }).click();
      await page.getByRole('button', { name: 'Add Pen' }).click();
      await atVersion(page, 1).waitFor();
      await page.getByRole('link', { name: 'Time machine' }).click();
      await page.locator('.moment[data-version="1"]').waitFor();
      expect(errors).toEqual([]);
      await page.context().close();
    } finally {
      await open.close();
    }
  });
});

describe('where the command side has another origin', () => {
  it('the pages send commands there, and their policy names it alone', async () => {
    const port = await freePort();
    const pagesUrl = `http://127.0.0.1:${port}`;
    const far = await openWorld({ origins: { hosts: [], allowed: [pagesUrl] } });
    const logger = pino({ level: 'silent' });
    const temporal = { connection: {}, namespace: far.namespace, taskQueue: far.taskQueue };
    const role = await openQueryApi({ temporal, databaseUrl: far.databaseUrl, logger });
    const roles = [role, pagesRole({ isOpen: true, commandOrigin: far.url })];
    const server = await listen(appOf(roles, { authorize: allowEverybody, logger }), '127.0.0.1', port);
    try {
      const answer = await fetch(pagesUrl);
      expect(answer.headers.get('content-security-policy')).toContain(`connect-src 'self' ${far.url};`);
      const { page, errors } = await openTab(browser, `${pagesUrl}/time`);
      await signIn(page, 'alice');
      await page.getByRole('link', { name: 'Shop' }).click();
      await page.getByRole('button', { name: 'Add Pen' }).click();
      await atVersion(page, 1).waitFor();
      await page.getByRole('button', { name: 'One Pen more' }).click();
      await atVersion(page, 2).waitFor();
      expect(errors).toEqual([]);
      await page.context().close();
    } finally {
      await server.close();
      await role.close();
      await far.close();
    }
  });
});

describe.each(['light', 'dark'] as const)('in %s colours, every page', (colorScheme) => {
  it.each([1_400, 390])('has no violation that axe finds, %i pixels wide', async (width) => {
    const user = newUser('seen');
    const token = await tokenOf(user);
    const send = (method: string, target: string, body?: object) =>
      world.request(method, `/carts/${user}${target}`, body, { ...bearer(token), Prefer: 'wait=20' });
    await send('POST', '/items', { productId: 'pen', quantity: 2 });
    await send('POST', '/items', { productId: 'ink', attributes: { size: 'L', engraving: 'For Anna' } });
    await send('PUT', '/note', { note: 'Please ring twice.\nThe dog is friendly.' });
    await send('POST', '/checkout', { expectedTotal: 1 });
    await send('POST', '/items', { productId: 'pad', quantity: 3 });
    const options = { colorScheme, viewport: { width, height: 900 } };
    const { page, errors, foreign } = await openTab(browser, `${world.url}/`, options);
    const look = async (name: string) => {
      await page.evaluate(axe);
      expect(await page.evaluate(findViolations)).toEqual([]);
      await page.screenshot({ path: path.join(folder, `${name}-${colorScheme}-${width}.png`), fullPage: true });
    };
    await page.getByRole('link', { name: 'Shop' }).first().waitFor();
    await look('start');
    await signIn(page, token);
    await page.getByRole('link', { name: 'Shop' }).first().click();
    await atVersion(page, 4).waitFor();
    await look('shop');
    await page.getByRole('navigation').getByRole('link', { name: 'Time machine' }).click();
    await page.getByText('4 events', { exact: true }).waitFor();
    await travelTo(page, 2);
    await page.locator('.moment[data-version="2"]').waitFor();
    await page.getByRole('button', { name: 'Pin this moment' }).click();
    await travelTo(page, 4);
    await page.locator('.comparison > table').waitFor();
    await page.locator('.chain.intact').waitFor();
    await look('time');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await signIn(page, await staffToken('reports:read', 'carts:read'));
    await page.getByRole('link', { name: 'Operations' }).click();
    await page.getByText('Most in carts').waitFor();
    await page.getByText('Open for longest').waitFor();
    await look('ops');
    expect([errors, foreign]).toEqual([[], []]);
    await page.context().close();
  });
});
