import { useEffect, useState } from 'preact/hooks';
import type { Operations } from '../../../client/src/index.ts';
import { instant, plural } from '../format.ts';
import { explain } from '../problems.ts';
import { Link } from '../router.tsx';
import { queries, session } from '../session.ts';
import { SignIn } from '../sign-in.tsx';
import { useStore } from '../store.ts';
import { TableHead } from '../table-head.tsx';
import { FindCarts } from './find-carts.tsx';
import { LinePlot } from './line-plot.tsx';
import { Reports } from './reports.tsx';

/** What is going on, for staff. */
export function OperationsPage() {
  const { isStaff } = useStore(session);
  if (isStaff) return <ForStaff />;
  return (
    <section class="narrow">
      <h1>Operations</h1>
      <p>This page is for staff: sign in with a token that has the scope reports:read.</p>
      <SignIn />
    </section>
  );
}

const refreshMs = 5_000;

function ForStaff() {
  const [now, setNow] = useState<Operations>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    const left = new AbortController();
    const refresh = async () => {
      while (!left.signal.aborted) {
        try {
          setNow(await queries.readOperations({ signal: left.signal }));
          setProblem(undefined);
        } catch (error) {
          if (!left.signal.aborted) setProblem(explain(error));
        }
        await new Promise((resolve) => setTimeout(resolve, refreshMs));
      }
    };
    void refresh();
    return () => left.abort();
  }, []);
  return (
    <>
      <h1>Operations</h1>
      {problem === undefined ? null : <p role="alert">{problem}</p>}
      {now === undefined ? <p class="quiet">Reading…</p> : <Now now={now} />}
      <FindCarts />
      <Reports />
    </>
  );
}

function Now({ now }: { readonly now: Operations }) {
  const { at, carts, openCarts, units, minutes, rejected, workers, tasks, parked } = now;
  const perMinute = minutes.at(-2);
  const listening = workers.filter(({ seenAt }) => Date.parse(at) - Date.parse(seenAt) < 30_000);
  const lag = Math.max(0, ...listening.map(({ maxLagMs }) => maxLagMs));
  const applied = minutes.map((minute) => minute.applied);
  return (
    <section aria-labelledby="now">
      <h2 id="now">Now</h2>
      <dl class="tiles">
        <Tile name="open carts" value={openCarts} more={`of ${plural(carts, 'cart')}, ${plural(units, 'unit')}`} />
        <Tile
          name="commands in the last minute"
          value={(perMinute?.applied ?? 0) + (perMinute?.rejected ?? 0)}
          more={`${perMinute?.rejected ?? 0} rejected`}
        />
        <Tile name="projection behind" value={`${lag} ms`} more={plural(listening.length, 'worker')} />
        <Tile name="parked carts" value={parked.length} more={parked.length === 0 ? 'none is broken' : 'see below'} />
      </dl>
      <div class="halves">
        <LinePlot
          title="Commands by minute, in the last hour"
          x={minutes.map(({ minute }) => Date.parse(minute) / 1_000)}
          series={[
            { label: 'applied', values: applied },
            { label: 'rejected', values: minutes.map((minute) => minute.rejected) },
          ]}
        />
        <table>
          <caption>Rejected in the last hour</caption>
          <TableHead columns={['Code', 'Commands']} />
          <tbody>
            {rejected.map(({ code, commands }) => (
              <tr key={code}>
                <th scope="row">{code}</th>
                <td>{commands}</td>
              </tr>
            ))}
            {rejected.length === 0 ? (
              <tr>
                <td colSpan={2}>none</td>
              </tr>
            ) : null}
          </tbody>
        </table>
      </div>
      {parked.length === 0 ? null : (
        <table>
          <caption>Parked carts</caption>
          <tbody>
            {parked.map(({ userId, detectedAt, message }) => (
              <tr key={userId}>
                <th scope="row">
                  <Link to={`/time/${encodeURIComponent(userId)}`}>{userId}</Link>
                </th>
                <td>{message}</td>
                <td>{instant(detectedAt)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Tasks tasks={tasks} at={at} />
    </section>
  );
}

interface TileProps {
  readonly name: string;
  readonly value: number | string;
  readonly more: string;
}

function Tile({ name, value, more }: TileProps) {
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd>
        <strong>{value}</strong> <small>{more}</small>
      </dd>
    </div>
  );
}

const silentMs = 60_000;

/** What operators have run since yesterday: rebuilds, verifications and the like. */
function Tasks({ tasks, at }: Pick<Operations, 'tasks' | 'at'>) {
  if (tasks.length === 0) return null;
  return (
    <table class="tasks">
      <caption>Tasks of operators</caption>
      <TableHead columns={['Task', 'Progress', 'Result', 'Started']} />
      <tbody>
        {tasks.map(({ name, kind, done, total, result, startedAt, seenAt, endedAt }) => (
          <tr key={name}>
            <th scope="row">{kind}</th>
            <td>
              {total === undefined ? done : <progress value={done} max={total} aria-label={`${done} of ${total}`} />}
            </td>
            <td>
              {endedAt !== undefined
                ? result
                : Date.parse(at) - Date.parse(seenAt) > silentMs
                  ? 'not heard of any more'
                  : 'running'}
            </td>
            <td>{instant(startedAt)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
