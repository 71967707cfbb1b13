import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { withPorts } from '../../src/http/route';
import { loadPages, type PageSettings, pageRoutes } from '../../src/queries/pages';
import type { Role } from '../../src/roles/role';

/** The pages as a role that a test can serve. */
export const pagesRole = (settings: Partial<PageSettings> = {}): Role => ({
  routes: withPorts(pageRoutes, loadPages({ staffAudience: 'carts-staff', isOpen: false, ...settings })),
  checks: {},
  close: async () => {},
});

/** A window of a browser, and what it must not do. */
export interface Watched {
  readonly page: Page;
  /** Errors of the console and of scripts, and violations of the content security policy. */
  readonly errors: string[];
  /** Requests to another origin. */
  readonly foreign: string[];
}

/** Opens a tab in a new context. A tab opened from its context shares the memory of its tabs. */
export async function openTab(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Watched> {
  const context = await browser.newContext({ timezoneId: 'UTC', locale: 'en', ...options });
  return watchTab(await context.newPage(), url);
}

export async function watchTab(page: Page, url: string): Promise<Watched> {
  const errors: string[] = [];
  const foreign: string[] = [];
  const { origin } = new URL(url);
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('request', (request) => {
    const { origin: asked, protocol } = new URL(request.url());
    if (asked !== origin && !['data:', 'blob:'].includes(protocol)) foreign.push(request.url());
  });
  await page.goto(url);
  return { page, errors, foreign };
}
