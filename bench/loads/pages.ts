import { randomInt } from 'node:crypto';
import { openBrowser, signIn } from '../../test/support/browser';
import { quantile, type Scale, spread } from '../measure';
import type { Line } from '../report';
import type { Setup } from '../setup';
import { oldCarts } from './past';

/** How long it takes until the time machine shows a version of a cart of 5,000 events, in a real browser. */
export async function sliding({ db, children }: Setup, { of }: Scale): Promise<Line[]> {
  const [cart] = await oldCarts(db, [5_000]);
  const { userId } = cart!;
  const browser = await openBrowser();
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${children.queries.port}/time/${encodeURIComponent(userId)}`);
    await signIn(page, userId);
    await page.getByText('5000 events', { exact: true }).waitFor();
    const moves = of(300);
    const took: number[] = [];
    for (let n = 0; n < moves; n += 1) took.push(await page.evaluate(moveSliderTo(randomInt(5_001))));
    const line = (name: string, q: number, goal?: Line['goal']): Line => ({
      ...{ load: 'time machine', what: `ms until a version is shown, ${name}`, figure: spread([quantile(took, q)]) },
      ...(goal === undefined ? {} : { goal }),
      from: { moves, events: 5_000 },
    });
    return [line('p50', 0.5), line('p95', 0.95, { atMost: 100 })];
  } finally {
    await browser.close();
  }
}

/** Runs in the page, and gives milliseconds. */
const moveSliderTo = (version: number): string => `new Promise((resolve) => {
  const isShown = () => document.querySelector('.moment')?.dataset.version === '${version}';
  const begin = performance.now();
  const finish = () => resolve(performance.now() - begin);
  const watcher = new MutationObserver(() => {
    if (!isShown()) return;
    watcher.disconnect();
    finish();
  });
  watcher.observe(document.body, { subtree: true, childList: true, attributes: true });
  const slider = document.querySelector('.slider input');
  slider.value = '${version}';
  slider.dispatchEvent(new Event('input', { bubbles: true }));
  if (isShown()) finish();
})`;
