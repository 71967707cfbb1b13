import { generateKeyPairSync } from 'node:crypto';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { createAuthorize } from '../../src/access/authorize';
import { guestRoute } from '../../src/access/guest-route';
import { createGuestTokens } from '../../src/access/guests';
import { withPorts } from '../../src/http/route';
import type { PageSettings } from '../../src/queries/pages';
import { openPages } from '../../src/roles/pages';
import type { Role } from '../../src/roles/role';
import type { TestIssuer } from './issuer';
import { openWorld, type World } from './world';

/** The pages as a role that a test can serve. */
export const pagesRole = (settings: Partial<PageSettings> = {}): Role =>
  openPages({ staffAudience: 'carts-staff', isOpen: false, ...settings });

/** A world with pages, tokens and guests. */
export async function openWorldWithPages({ issuer }: TestIssuer): Promise<World> {
  const guests = createGuestTokens(generateKeyPairSync('ed25519').privateKey, 30);
  const guestRole: Role = { routes: withPorts([guestRoute], { guests }), checks: {}, close: async () => {} };
  return openWorld({ authorize: createAuthorize(issuer, guests), roles: [pagesRole(), guestRole] });
}

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
