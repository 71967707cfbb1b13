import { useState } from 'preact/hooks';
import type { ReportName } from '../../../client/src/index.ts';
import { instant, inUnits, money } from '../format.ts';
import { explain } from '../problems.ts';
import { Link } from '../router.tsx';
import { queries } from '../session.ts';
import { TableHead } from '../table-head.tsx';
import { useRead } from '../use-read.ts';
import { LinePlot } from './line-plot.tsx';

const spanDays = 30;
const steps = 1_000;
const dayMs = 86_400_000;

/** The reports at any instant of the last days, by one slider. */
export function Reports() {
  const [until] = useState(() => Date.now());
  const [step, setStep] = useState(steps);
  const at = new Date(until - ((steps - step) / steps) * spanDays * dayMs).toISOString();
  return (
    <section aria-labelledby="reports">
      <h2 id="reports">Reports</h2>
      <label class="slider">
        <span class="unseen">At</span>
        <input
          type="range"
          min={0}
          max={steps}
          value={step}
          aria-valuetext={instant(at)}
          onInput={(event) => setStep(event.currentTarget.valueAsNumber)}
        />
        <output>{instant(at)}</output>
      </label>
      <Sums at={at} />
      <Value at={at} />
      <Bought at={at} />
      <LongestOpen at={at} />
    </section>
  );
}

type Query<Name extends ReportName> = Parameters<typeof queries.readReport<Name>>[1];

function useReport<Name extends ReportName>(name: Name, query: Query<Name>) {
  const { value: report, problem } = useRead(
    (signal) => queries.readReport(name, query, { signal }),
    [name, JSON.stringify(query)],
  );
  return { report, problem };
}

/** The span of a report that ends at an instant. */
const weekBefore = (at: string) => ({ from: new Date(Date.parse(at) - 7 * dayMs).toISOString(), to: at });

interface DownloadProps<Name extends ReportName> {
  readonly name: Name;
  readonly query: Query<Name>;
}

function Download<Name extends ReportName>({ name, query }: DownloadProps<Name>) {
  const [problem, setProblem] = useState<string>();
  const download = async () => {
    try {
      const csv = await queries.readReportAsCsv(name, query);
      const link = document.createElement('a');
      link.href = URL.createObjectURL(new Blob([csv], { type: 'text/csv' }));
      link.download = `${name}.csv`;
      link.click();
      URL.revokeObjectURL(link.href);
      setProblem(undefined);
    } catch (error) {
      setProblem(explain(error));
    }
  };
  return (
    <>
      <button type="button" class="plain" onClick={() => void download()}>
        CSV
      </button>
      {problem === undefined ? null : <span role="alert">{problem}</span>}
    </>
  );
}

function Sums({ at }: { readonly at: string }) {
  const { report, problem } = useReport('carts', { at });
  if (problem !== undefined) return <p role="alert">{problem}</p>;
  if (report === undefined) return <p class="quiet">Reading…</p>;
  const { openCarts, lines, units, values, topProducts } = report;
  return (
    <div class="halves">
      <table>
        <caption>
          Open carts <Download name="carts" query={{ at }} />
        </caption>
        <tbody>
          <tr>
            <th scope="row">open carts</th>
            <td>{openCarts}</td>
          </tr>
          <tr>
            <th scope="row">lines</th>
            <td>{lines}</td>
          </tr>
          <tr>
            <th scope="row">units</th>
            <td>{units}</td>
          </tr>
          {values.map(({ currency, value }) => (
            <tr key={currency}>
              <th scope="row">value in {currency}</th>
              <td>{money(Number(value), currency)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <table>
        <caption>Most in carts</caption>
        <TableHead columns={['Product', 'Carts', 'Units']} />
        <tbody>
          {topProducts.map(({ productId, name, carts, units: count }) => (
            <tr key={productId}>
              <th scope="row">{name}</th>
              <td>{carts}</td>
              <td>{count}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Value({ at }: { readonly at: string }) {
  const query = { ...weekBefore(at), interval: 'hour' as const };
  const { report, problem } = useReport('value', query);
  if (problem !== undefined) return <p role="alert">{problem}</p>;
  const points = report?.points ?? [];
  const [currency = null] = new Set(points.map((point) => point.currency));
  const shown = points.filter((point) => point.currency === currency);
  return (
    <>
      <LinePlot
        title={`Value of the open carts${currency === null ? '' : ` in ${currency}`}, in the week before`}
        x={shown.map((point) => Date.parse(point.at) / 1_000)}
        series={[{ label: 'value', values: shown.map(({ value }) => inUnits(Number(value), currency)) }]}
      />
      <Download name="value" query={query} />
    </>
  );
}

/** What became of products in the week before. */
function Bought({ at }: { readonly at: string }) {
  const query = weekBefore(at);
  const { report, problem } = useReport('checkouts', { ...query, limit: 10 });
  if (problem !== undefined) return <p role="alert">{problem}</p>;
  return (
    <table>
      <caption>
        Bought and removed in the week before <Download name="checkouts" query={{ ...query, limit: 500 }} /> by hour{' '}
        <Download name="products" query={{ ...query, interval: 'hour', limit: 5_000 }} />
      </caption>
      <TableHead columns={['Product', 'Bought', 'Removed', 'Revenue']} />
      <tbody>
        {(report?.products ?? []).map(({ productId, name, unitsBought, unitsRemoved, revenue }) => (
          <tr key={productId}>
            <th scope="row">{name ?? productId}</th>
            <td>{unitsBought}</td>
            <td>{unitsRemoved}</td>
            <td>
              {Object.entries(revenue)
                .map(([currency, sum]) => money(Number(sum), currency))
                .join(', ')}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function LongestOpen({ at }: { readonly at: string }) {
  const { report, problem } = useReport('longest-open', { at, limit: 10 });
  if (problem !== undefined) return <p role="alert">{problem}</p>;
  return (
    <table>
      <caption>
        Open for longest <Download name="longest-open" query={{ at, limit: 500 }} />
      </caption>
      <TableHead columns={['User', 'Units', 'Value', 'Open since']} />
      <tbody>
        {(report?.carts ?? []).map(({ userId, units, value, currency, openSince }) => (
          <tr key={userId}>
            <th scope="row">
              <Link to={`/time/${encodeURIComponent(userId)}`}>{userId}</Link>
            </th>
            <td>{units}</td>
            <td>{money(Number(value), currency)}</td>
            <td>{instant(openSince)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
