import { type Browser, chromium, type Page } from 'playwright-core';
import { loadConfig } from '../../src/config';
import { findChromium } from './find-chromium';

/**
 * Starts a Chromium without a window. Allow the time of a download.
 * @param args for its command line.
 */
export async function openBrowser(args: readonly string[] = []): Promise<Browser> {
  const { searchPath, cacheDir } = loadConfig().embedded;
  const executablePath = await findChromium({
    explicitPath: process.env.CHROMIUM_PATH || undefined,
    searchPath,
    cacheDir,
    log: (line) => process.stderr.write(`${line}\n`),
  });
  return chromium.launch({ executablePath, args: [...args] });
}

/** Signs in on a page with a token; where nobody is asked for one, with the id of a user. */
export async function signIn(page: Page, token: string): Promise<void> {
  await page.locator('.account summary').click();
  await page.locator('.account input').fill(token);
  await page.locator('.account').getByRole('button', { name: 'Sign in' }).click();
}
