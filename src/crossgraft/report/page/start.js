// Everything is there without this script; where the data cannot be read, the page stays as it is.
async function start() {
  let matrix = null;
  themeSwitch(() => matrix?.draw());
  const data = await unpacked(find('#data').textContent);
  document.querySelectorAll('.table[data-table]').forEach((holder) => activateTable(holder, data));
  const items = find('#items')?.textContent; // most of a page: they are read when the first cell is opened
  data.items = () => (data.read ??= items ? unpacked(items) : Promise.resolve(null));
  if (data.grid) matrix = new Matrix(data, find('#matrix'), openCell);
  window.addEventListener('hashchange', () => location.reload()); // a link to another view of this page
  document.documentElement.dataset.ready = 'yes';
}
start().catch((error) => {
  find('#matrix')?.classList.remove('ready');
  throw error;
});
