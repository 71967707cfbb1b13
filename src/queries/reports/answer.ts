import type { Request, Response } from 'express';
import { Problem } from '../../http/problem';
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
 * Makes the report and answers with it in the format that the request accepts; JSON is the default.
 * @throws Problem 406, before the report is made, if the request accepts neither; 503 if the report takes too long.
 */
export async function answer(req: Request, res: Response, makeReport: () => Promise<Report>): Promise<void> {
  const format = formatFor(req);
  const report = await makeReport().catch(throwTooSlow);
  res.set({ 'Cache-Control': 'no-store', Vary: 'Accept' });
  if (report.next !== undefined) res.links({ next: report.next });
  if (format === 'json') {
    res.json(report.next === undefined ? report.json : { ...report.json, next: report.next });
    return;
  }
  res
    .set('Content-Disposition', `attachment; filename="${report.name}.csv"`)
    .type('text/csv; charset=utf-8; header=present')
    .send(toCsv(report.columns, report.rows));
}

function formatFor(req: Request): Format {
  const type = req.accepts(['application/json', 'text/csv']);
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
