// Times calls of one worker pool of Node.js: node bench.mjs LIBRARY. Each line of
// standard input asks for a round, and is answered by a line of standard output;
// node.go says what is in them.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const library = process.argv[2];
const worker = (name) => fileURLToPath(new URL(name, import.meta.url));

// The terminal interrupts every process; when to end, standard input tells.
process.on('SIGINT', () => {});

// Each library with its quickest settings: as many workers from the start as
// there ever are, and many calls on their way to each where that is an option.
// (Atomics are no help to piscina then.) One returns a function that echoes, and
// one that ends.
const libraries = {
  async '@jjavery/worker-pool'(workers) {
    const WorkerPool = createRequire(import.meta.url)('@jjavery/worker-pool'); // it asks who required it
    const pool = new WorkerPool({ min: workers, max: workers });
    return [pool.proxy(worker('worker.cjs'), 'echo'), () => pool.stop()];
  },
  async piscina(workers) {
    const { Piscina } = await import('piscina');
    const pool = new Piscina({ filename: worker('worker.mjs'), minThreads: workers, maxThreads: workers, concurrentTasksPerWorker: 32, atomics: 'disabled' });
    return [(text) => pool.run(text), () => pool.destroy()];
  },
  tinypool: (workers) => tinypool(workers, 'worker_threads'),
  'tinypool, processes': (workers) => tinypool(workers, 'child_process'),
};

async function tinypool(workers, runtime) {
  const { Tinypool } = await import('tinypool');
  const pool = new Tinypool({ filename: worker('worker.mjs'), minThreads: workers, maxThreads: workers, concurrentTasksPerWorker: 32, runtime });
  return [(text) => pool.run(text), () => pool.destroy()];
}

const pools = new Map(); // by the number of workers

async function open(workers) {
  if (!pools.has(workers)) pools.set(workers, await libraries[library](workers));
  return pools.get(workers)[0];
}

async function calls({ payload, callers, workers, milliseconds, max_samples }) {
  const echo = await open(workers);
  const text = 'x'.repeat(payload - 4); // as long, in JSON, as what the others send
  const samples = [];
  const begun = performance.now();
  const end = begun + milliseconds;
  await Promise.all(Array.from({ length: callers }, async () => {
    for (let last = performance.now(); samples.length < max_samples;) {
      const got = await echo(text);
      if (got.length !== text.length) throw new Error(`the answer has ${got.length} bytes, want ${text.length}`);
      const now = performance.now();
      samples.push(Math.round((now - last) * 1e6));
      last = now;
      if (now >= end) break;
    }
  }));
  return { nanoseconds: Math.round((performance.now() - begun) * 1e6), samples };
}

// starts times pools from nothing to the first answer; that they also end does not
// count.
async function starts({ payload, workers, milliseconds, max_samples }) {
  const text = 'x'.repeat(payload - 4);
  const samples = [];
  const begun = performance.now();
  do {
    const before = performance.now();
    const [echo, end] = await libraries[library](workers);
    const got = await echo(text);
    samples.push(Math.round((performance.now() - before) * 1e6));
    await end();
    if (got.length !== text.length) throw new Error(`the answer has ${got.length} bytes, want ${text.length}`);
  } while (performance.now() - begun < milliseconds && samples.length < max_samples);
  return { nanoseconds: Math.round((performance.now() - begun) * 1e6), samples };
}

const tasks = { calls, starts };

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  const answer = await tasks[request.task](request).catch((error) => ({ error: String(error.message ?? error) }));
  process.stdout.write(JSON.stringify(answer) + '\n');
}
for (const [, end] of pools.values()) await end();
process.stdout.write('', () => process.exit()); // what a failed pool has left must not hold us
