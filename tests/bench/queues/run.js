// SPDX-License-Identifier: Apache-2.0
// Jobs a second of a queue over PostgreSQL, with a handler that does nothing: node run.js NAME URL JOBS
import { readFileSync } from "node:fs";
import pg from "pg";

const [name, url, count] = process.argv.slice(2);
const jobs = Number(count);
const version = (module) =>
  JSON.parse(readFileSync(new URL(`node_modules/${module}/package.json`, import.meta.url))).version;
let done = 0;
let finished;
const all = new Promise((resolve) => {
  finished = resolve;
});
const one = (n = 1) => {
  done += n;
  if (done >= jobs) finished();
};

async function sql(text) {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(text);
  await client.end();
}

const queues = {
  async "graphile-worker"() {
    const { Logger, run, runMigrations } = await import("graphile-worker");
    const quiet = { connectionString: url, logger: new Logger(() => () => {}) };
    await runMigrations(quiet);
    await sql(`select graphile_worker.add_jobs(array(
      select row('noop', json_build_object('n', n), null, now(), 25, null, null, null)::graphile_worker.job_spec
      from generate_series(1, ${jobs}) n))`);
    const start = performance.now();
    const runner = await run({
      ...quiet,
      concurrency: 64,
      pollInterval: 50,
      preset: { worker: { localQueue: { size: 500 } } },
      taskList: { noop: async () => one() },
    });
    await all;
    return [start, () => runner.stop()];
  },
  async "pg-boss"() {
    const { default: PgBoss } = await import("pg-boss");
    const boss = new PgBoss({ connectionString: url, max: 8, supervise: false, schedule: false });
    await boss.start();
    await boss.createQueue("noop");
    for (let at = 0; at < jobs; at += 10000)
      await boss.insert(
        Array.from({ length: Math.min(10000, jobs - at) }, (_, n) => ({
          name: "noop",
          data: { n: at + n },
        })),
      );
    const start = performance.now();
    for (let i = 0; i < 4; i++)
      await boss.work("noop", { batchSize: 500, pollingIntervalSeconds: 0.5 }, async (batch) =>
        one(batch.length),
      );
    await all;
    return [start, () => boss.stop({ graceful: false })];
  },
};

const [start, stop] = await queues[name]();
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ version: version(name), jobs, seconds, rate: jobs / seconds }));
await stop();
process.exit(0);
