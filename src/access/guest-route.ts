import { z } from 'zod';
import { defineRoute, type Route } from '../http/route';
import { bodyProblems } from '../http/validation';
import type { GuestTokens } from './guests';

const guestShape = z
  .strictObject({ userId: z.string(), cartToken: z.string(), expiresAt: z.iso.datetime({ precision: 3 }) })
  .meta({ id: 'Guest' });

interface GuestPorts {
  readonly guests: GuestTokens;
}

/** The route for who has no account: a guest's cart is a cart like any other. */
export const guestRoute: Route<GuestPorts> = defineRoute(
  {
    name: 'createGuest',
    method: 'post',
    path: '/guests',
    summary: 'Makes a guest: an id, and the token to send as Cart-Token with every request for the cart of this id',
    access: 'everybody',
    rate: 'guests',
    answers: { 201: { description: 'The guest.', body: guestShape } },
    problems: bodyProblems,
  },
  async ({ guests }: GuestPorts) => ({
    status: 201,
    headers: { 'Cache-Control': 'no-store' },
    body: await guests.issue(),
  }),
);
