// The worker of @jjavery/worker-pool.
process.on('SIGINT', () => {}); // see bench.mjs

module.exports = { echo: (text) => text };
