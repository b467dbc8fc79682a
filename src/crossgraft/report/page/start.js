// Everything is there without this script; where the data cannot be read, the page stays as it is.
async function start() {
  let matrix = null;
  // most of a page are its items: they stand behind the scripts
  const items = new Promise((done) => window.addEventListener('load', () => done(find('#items')?.textContent)));
  themeSwitch(() => matrix?.draw());
  const data = await unpacked(find('#data').textContent);
  document.querySelectorAll('.table[data-table]').forEach((holder) => activateTable(holder, data));
  data.items = () => (data.read ??= items.then((text) => (text ? unpacked(text) : null))); // when the first cell is opened
  if (data.grid) matrix = new Matrix(data, find('#matrix'), openCell);
  window.addEventListener('hashchange', () => location.reload()); // a link to another view of this page
  document.documentElement.dataset.ready = 'yes';
}
start().catch((error) => {
  find('#matrix')?.classList.remove('ready');
  throw error;
});
