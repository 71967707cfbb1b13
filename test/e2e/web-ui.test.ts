import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { freePort } from '../../src/embedded/ports';
import { startTemporal } from '../../src/embedded/temporal/dev-server';
import { openBrowser } from '../support/browser';
import { until } from '../support/until';
import { newUser, openWorld, type World } from '../support/world';

const withDownloadMs = 600_000;
const wait = { Prefer: 'wait=20' };
const pictures = path.resolve(__dirname, '../../.tmp/pages');

let browser: Browser;
let world: World;
let server: Awaited<ReturnType<typeof startTemporal>>;
let uiUrl: string;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'cart-web-ui-'));
  await mkdir(pictures, { recursive: true });
  const [port, uiPort] = [await freePort(), await freePort()];
  uiUrl = `http://127.0.0.1:${uiPort}`;
  server = await startTemporal({
    ...{ cliPath: process.env.TEST_TEMPORAL_CLI!, port, uiPort, logFile: path.join(folder, 'temporal.log') },
    ...{ namespace: 'default', log: () => {} },
    searchAttributes: { CartStatus: 'Keyword', CartItemCount: 'Int', CartUserId: 'Keyword' },
  });
  browser = await openBrowser();
  world = await openWorld({ temporalAddress: server.address });
}, withDownloadMs);
afterAll(async () => {
  await browser?.close();
  await world?.close();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

it("a person sees in Temporal's Web UI what a customer did in five minutes", async () => {
  const user = newUser('alice');
  const send = (method: string, target: string, body?: object) =>
    world.request(method, `/carts/${user}${target}`, body, wait);
  await send('POST', '/items', { productId: 'pen', quantity: 2 });
  await send('POST', '/items', { productId: 'ink' });
  await send('PUT', '/items/pen', { quantity: 5 });
  await send('PUT', '/note', { note: 'Please ring twice.' });
  await send('POST', '/checkout', { expectedTotal: 1 });
  const page = await browser.newPage({ viewport: { width: 1_600, height: 1_000 } });

  await page.goto(`${uiUrl}/namespaces/${world.namespace}/workflows`);
  const row = page.getByRole('row', { name: new RegExp(`cart:${user}`) });
  await row.waitFor();
  await page.screenshot({ path: path.join(pictures, 'web-ui-list.png') });
  for (const text of ['Running', 'cartWorkflow']) expect(await row.textContent()).toContain(text);

  await row
    .getByRole('link', { name: `cart:${user}` })
    .first()
    .click();
  const tab = (name: string) => page.getByRole('tab', { name }).click();
  await tab('Event History');
  for (const text of ['v1: ItemAdded', 'v4: NoteChanged', 'rejected total_mismatch']) {
    await page.getByText(text).first().waitFor();
  }
  await page.screenshot({ path: path.join(pictures, 'web-ui-history.png'), fullPage: true });
  await tab('User Metadata');
  // The Web UI shows what a workflow says of itself in frames of their own.
  for (const text of [`Cart of ${user}`, 'Note: Please ring twice.', 'Ink, 30 ml']) {
    await until(`it says ${text}`, async () => {
      const texts = await Promise.all(page.frames().map((frame) => frame.locator('body').textContent()));
      return texts.some((each) => each?.includes(text));
    });
  }
  await page.screenshot({ path: path.join(pictures, 'web-ui-metadata.png'), fullPage: true });
  await tab('Search Attributes');
  await page.getByText('CartItemCount').first().waitFor();
  await page.close();
});
