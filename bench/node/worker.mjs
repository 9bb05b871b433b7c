// The worker of piscina and tinypool.
process.on('SIGINT', () => {}); // see bench.mjs

export default (text) => text;
