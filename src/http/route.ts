import type { Request } from 'express';
import type { z } from 'zod';
import type { CodeOf, ProblemStatus } from './problem-codes';
import type { RateClass, RateKey } from './rate-limits';

export type Method = 'get' | 'post' | 'put' | 'delete';

/** What a route answers: sent as JSON, or as it is where `body` is text. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An async iterable of text is sent part by part, as long as it goes on and the client stays. */
  readonly body?: unknown;
}

/** One way in which a route answers, as the description of the API has it. */
export interface AnswerDescription {
  readonly description: string;
  /** The shape of the body; absent for an answer without one. */
  readonly body?: z.ZodType;
  /** The types of text that the body may have, such as `text/csv`; beside JSON where it has a shape. */
  readonly textTypes?: readonly string[];
  readonly headers?: Readonly<Record<string, z.ZodType>>;
}

/** The codes of the problems that a route answers with, by status. */
export type ProblemsOfRoute = { readonly [Status in ProblemStatus]?: readonly CodeOf<Status>[] };

/**
 * Who may call a route: everybody, or who has this scope. The user of a cart, and who acts for that user, may call the
 * routes of the cart without a scope.
 */
export type Access = 'everybody' | Scope;
export const scopes = ['carts:read', 'carts:write', 'catalogue:write', 'reports:read'] as const;
export type Scope = (typeof scopes)[number];

/**
 * Decides whether a request may go on.
 * @param userId the user of the cart in the path, where there is one.
 * @returns who acts, as the log names it, headers of the answer, and with whose requests it counts; if absent, with
 * those of its address.
 * @throws Problem 401, 403 or 404.
 */
export type Authorize = (access: Access, userId: string | undefined, http: Request) => Promise<Authorized>;

interface Authorized {
  readonly actor: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly rateKey?: RateKey;
  /** Until when the caller's token is accepted, in milliseconds since 1970. */
  readonly expiresAt?: number;
  readonly readGuest?: ReadGuest;
}

/**
 * Reads whose `Cart-Token` a request has beside the token of its caller.
 * @throws Problem 401 where it has none that is valid.
 */
export type ReadGuest = () => Promise<string>;

/** All that is to be known of a route except what it does. The API's description and its checks are made of it. */
export interface RouteDescription {
  /** What it does, in one word of the code: unique among all routes. */
  readonly name: string;
  readonly method: Method;
  /** With its parameters in braces: `/carts/{userId}`. */
  readonly path: string;
  readonly summary: string;
  readonly access: Access;
  /** With which requests it is limited. */
  readonly rate: RateClass;
  /** Its answer goes on for as long as the client stays: a caller has only some of them at once. */
  readonly staysOpen?: true;
  /** It takes the token of a guest beside that of the caller. */
  readonly needsGuest?: true;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodType;
  /** The headers that the route reads. */
  readonly headers?: z.ZodObject;
  /** Absent where the route takes no body: a request that has one is then rejected. */
  readonly body?: z.ZodType;
  readonly answers: Readonly<Record<number, AnswerDescription>>;
  readonly problems: ProblemsOfRoute;
}

/** A request as the schemas of its route have read it. */
export interface RouteRequest<Params = unknown, Query = unknown, Headers = unknown, Body = unknown> {
  readonly params: Params;
  readonly query: Query;
  readonly headers: Headers;
  readonly body: Body;
  /** Who calls, as the log names it. */
  readonly actor: string;
  /** Until when the caller's token is accepted, in milliseconds since 1970; absent for a caller without one. */
  readonly expiresAt?: number | undefined;
  /** Absent where no tokens are asked for. */
  readonly readGuest?: ReadGuest | undefined;
  /** For the negotiation of content and for conditional requests. */
  readonly http: Request;
}

/** A route of a role that has these ports. */
export interface Route<Ports> extends RouteDescription {
  /** @throws Problem where the answer is one. */
  handle(ports: Ports, request: RouteRequest): Promise<Answer>;
}

/** A route that is being served. */
export interface ServedRoute extends RouteDescription {
  handle(request: RouteRequest): Promise<Answer>;
}

/** Checks a route's handler against its schemas. */
export function defineRoute<
  Ports,
  Params extends z.ZodObject = z.ZodObject,
  Query extends z.ZodType = z.ZodUnknown,
  Headers extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodUndefined,
>(
  description: RouteDescription & {
    readonly params?: Params;
    readonly query?: Query;
    readonly headers?: Headers;
    readonly body?: Body;
  },
  handle: (
    ports: Ports,
    request: RouteRequest<z.output<Params>, z.output<Query>, z.output<Headers>, z.output<Body>>,
  ) => Promise<Answer>,
): Route<Ports> {
  return { ...description, handle: handle as Route<Ports>['handle'] };
}

/** Gives a role's ports to its routes. */
export const withPorts = <Ports>(routes: readonly Route<Ports>[], ports: Ports): ServedRoute[] =>
  routes.map((route) => ({ ...route, handle: (request) => route.handle(ports, request) }));

/** The header that names the next page. */
export const linkToNext = (next: string) => ({ Link: `<${next}>; rel="next"` });
