const { prove } = require('./prove.mjs');

void prove(process.argv.slice(2), (name) => {
  const loaded = require(name);
  // axios is CommonJS for those who require it.
  return name === 'axios' ? { default: loaded } : loaded;
});
