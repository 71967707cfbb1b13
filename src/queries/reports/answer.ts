import type { Request, Response } from 'express';
import { Problem } from '../../http/problem';
import { type ReportRow, toCsv } from './csv';

/** A report, ready to be sent in either form. */
export interface Report {
  /** The name of the file a browser keeps the CSV under. */
  readonly name: string;
  readonly json: Readonly<Record<string, unknown>>;
  readonly columns: readonly string[];
  readonly rows: readonly ReportRow[];
  /** Where the next page is, if there is one. */
  readonly next?: string | undefined;
}

type Format = 'json' | 'csv';

/**
 * Makes the report and answers with it in the form the request asks for; JSON where it does not mind.
 * @throws Problem 406 before anything is computed, where neither will do; 503 where the report takes too long.
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
    throw new Problem(406, 'not_acceptable', 'A report is answered as application/json or text/csv.');
  }
  return type === 'text/csv' ? 'csv' : 'json';
}

const queryCanceled = '57014';

function throwTooSlow(error: unknown): never {
  if ((error as { code?: unknown }).code !== queryCanceled) throw error;
  throw new Problem(503, 'report_too_slow', 'The report takes longer than a request may. Ask for less, or use SQL.');
}
