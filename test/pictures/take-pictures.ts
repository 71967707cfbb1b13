import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { openBrowser, signIn } from '../support/browser';
import { openIssuer, type TestIssuer } from '../support/issuer';
import { openTab, openWorldWithPages } from '../support/pages';
import { randomNumbers } from '../support/random';
import type { World } from '../support/world';

/*
 * Takes the pictures of the README, from a real run whose commands are chosen by a seed. Usage: npm run pictures
 */

const folder = path.resolve(__dirname, '../../docs/pictures');
const viewport = { width: 1_100, height: 680 };
const seed = 7;

let world: World;
let browser: Browser;
let issuer: TestIssuer;
beforeAll(async () => {
  await mkdir(folder, { recursive: true });
  issuer = await openIssuer();
  browser = await openBrowser();
  world = await openWorldWithPages(issuer);
  await shop('alice', 40);
  for (const user of ['bob', 'carol', 'dave', 'erin', 'frank']) await shop(user, 12);
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await world?.close();
  await issuer.close();
});

const random = randomNumbers(seed);
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
const customerToken = (sub: string) => issuer.sign({ sub });
const staffToken = () => issuer.sign({ sub: 'sam', aud: 'carts-staff', scope: 'carts:read reports:read' });

async function shop(user: string, commands: number): Promise<void> {
  const headers = { Authorization: `Bearer ${await customerToken(user)}`, Prefer: 'wait=20' };
  const send = (method: string, target: string, body?: object) =>
    world.request(method, `/carts/${user}${target}`, body, headers);
  for (let n = 0; n < commands; n += 1) {
    const productId = pick(['pen', 'ink', 'pad']);
    const kind = random();
    if (kind < 0.55) await send('POST', '/items', { productId, quantity: 1 + Math.floor(random() * 3) });
    else if (kind < 0.75) await send('PUT', `/items/${productId}`, { quantity: 1 + Math.floor(random() * 6) });
    else if (kind < 0.85) await send('DELETE', `/items/${productId}`);
    else if (kind < 0.93) await send('PUT', '/note', { note: pick(['Please ring twice.', 'A gift: no receipt.']) });
    else await send('POST', '/checkout', {});
  }
  await send('POST', '/items', { productId: 'ink', attributes: { engraving: 'For Anna' } });
}

it('the storefront', async () => {
  const { page } = await openTab(browser, `${world.url}/shop`, { viewport });
  await signIn(page, await customerToken('alice'));
  await page.locator('.line').first().waitFor();
  await page.screenshot({ path: path.join(folder, 'shop.png') });
  await page.context().close();
});

it('the page of the operators', async () => {
  const { page } = await openTab(browser, `${world.url}/ops`, { viewport });
  await signIn(page, await staffToken());
  await page.getByText('Most in carts').waitFor();
  await page.screenshot({ path: path.join(folder, 'operations.png') });
  await page.context().close();
});

it('the time machine, still and moving', async () => {
  const { page } = await openTab(browser, `${world.url}/time/alice`, { viewport });
  await signIn(page, await customerToken('alice'));
  await page.locator('.chain.intact').waitFor();
  const newest = Number(await page.locator('.slider input').getAttribute('max'));
  const frames: Buffer[] = [];
  for (const version of [newest, ...[0.8, 0.6, 0.4, 0.2].map((share) => Math.round(share * newest))]) {
    await page.locator('.slider input').fill(String(version));
    await page.locator(`.moment[data-version="${version}"]`).waitFor();
    frames.push(await page.screenshot());
  }
  await writeFile(path.join(folder, 'time-machine.png'), frames[2]!);
  await writeFile(path.join(folder, 'time-machine.svg'), animate(frames));
  await page.context().close();
});

const secondsPerFrame = 0.9;

/** The frames forth and back, for ever. Pages show such a picture without a script. */
function animate(frames: readonly Buffer[]): string {
  const { width, height } = viewport;
  const places = [...frames.keys()];
  const order = [...places, ...places.slice(1, -1).reverse()];
  const images = frames.map((frame, index) => {
    const values = order.map((place) => (place === index ? 1 : 0)).join(';');
    const seconds = order.length * secondsPerFrame;
    return (
      `<image width="${width}" height="${height}" href="data:image/png;base64,${frame.toString('base64')}">` +
      `<animate attributeName="opacity" values="${values}" dur="${seconds}s" calcMode="discrete" repeatCount="indefinite"/>` +
      '</image>'
    );
  });
  const size = `viewBox="0 0 ${width} ${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>\n<title>The time machine</title>\n${images.join('\n')}\n</svg>\n`;
}
