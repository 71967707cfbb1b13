import type { Request } from 'express';
import { Problem } from '../../http/problem';
import { type Answer, linkToNext } from '../../http/route';
import { type ReportRow, toCsv } from './csv';

/** A report that can be sent as JSON or as CSV. */
export interface Report {
  /** The name of the CSV file, without its ending. */
  readonly name: string;
  readonly json: Readonly<Record<string, unknown>>;
  readonly columns: readonly string[];
  readonly rows: readonly ReportRow[];
  /** The path of the next page, if there is one. */
  readonly next?: string | undefined;
}

type Format = 'json' | 'csv';

/**
 * Makes the report, in the format that the request accepts; JSON is the default.
 * @throws Problem 406, before the report is made, if the request accepts neither; 503 if the report takes too long.
 */
export async function answerReport(http: Request, makeReport: () => Promise<Report>): Promise<Answer> {
  const format = formatFor(http);
  const { name, json, columns, rows, next } = await makeReport().catch(throwTooSlow);
  const headers = { 'Cache-Control': 'no-store', Vary: 'Accept, Authorization', ...(next && linkToNext(next)) };
  if (format === 'json') return { status: 200, headers, body: next === undefined ? json : { ...json, next } };
  return {
    status: 200,
    headers: {
      ...headers,
      'Content-Disposition': `attachment; filename="${name}.csv"`,
      'Content-Type': 'text/csv; charset=utf-8; header=present',
    },
    body: toCsv(columns, rows),
  };
}

function formatFor(http: Request): Format {
  const type = http.accepts(['application/json', 'text/csv']);
  if (type === false) {
    throw new Problem(406, 'not_acceptable', 'Reports are available as application/json and text/csv.');
  }
  return type === 'text/csv' ? 'csv' : 'json';
}

const queryCanceled = '57014';

function throwTooSlow(error: unknown): never {
  if ((error as { code?: unknown }).code !== queryCanceled) throw error;
  throw new Problem(503, 'report_too_slow', 'The report takes too long for a request. Ask for less, or use SQL.');
}
