// A cell in a dialog: its numbers, the records behind it, and the items whose answer changed.
function openCell(matrix, place) {
  const { cells, grid, data } = matrix, [treatment, target, model] = matrix.names(place);
  const dialog = element('dialog', { 'aria-label': `${treatment} on ${target}` });
  const close = element('button', { type: 'button' }, 'Close');
  close.addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', () => dialog.remove()); // the focus goes back to the matrix
  dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
  dialog.append(element('header', {}, element('h3', {}, `${treatment} on ${target}`), close));
  const facts = [['model', model]];
  if (cells.change[place] === null) {
    facts.push(['no number', grid.why[place] ?? 'not measured']);
  } else {
    const unit = grid.units[cells.unit[place]];
    facts.push(
      ['change', `${signed(cells.change[place])} ${unit}`],
      ['95 % interval', interval(cells.low[place], cells.high[place])],
      ['verdict', matrix.verdict(place)],
      ['items', String(cells.n[place] || 'unknown')],
      ['seeds', String(cells.count[place])],
    );
    grid.seeds.forEach((seed, number) => {
      const value = cells.seeds[number][place];
      if (value !== null) facts.push([`seed ${seed}`, `${signed(value)} ${unit}`]);
    });
    if (matrix.shrunk(place)) facts.push([grid.shrunk.name, matrix.shrunk(place)]);
    facts.push(
      ['metric', grid.metrics[cells.metric[place]]],
      ['base', matrix.level(place, cells.base[place])],
      ['now', matrix.level(place, cells.now[place])],
      ['records', named(cells.records[place], cells.count[place])],
    );
  }
  dialog.append(element('dl', {}, ...facts.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)])));
  document.body.append(dialog);
  dialog.showModal();
  data.items().then((items) => dialog.append(...itemsOf(items, place, place % grid.columns.length)));
}

function named(records, count) { // of a large grid the page has the first one only
  const left = records ? count - records.split(' ').length : 0;
  return left > 0 ? `${records} and ${left} more in cells.csv` : records;
}

function itemsOf(items, place, column) {
  if (!items) return [];
  if (!items.cells[place]) {
    const count = Object.keys(items.cells).length;
    return [element('p', { class: 'small' }, `No items here: none changed, or the cell is not among the ${count} of ${items.measured} whose items the page holds.`)];
  }
  const { shown, left } = items.cells[place];
  const title = element('h3', {}, `${items.how === 'all' ? 'Items' : 'Items whose answer changed'}: ${shown.length + left}`);
  const made = shown.map(([item, seed, before, after, said, saidNow]) => {
    const turn = before === after ? 'as before' : after > before ? 'better' : 'worse';
    const head = element('b', { class: turn }, `item ${items.names[column][item]}${seed === '' ? '' : `, seed ${seed}`}: ${before} → ${after}`);
    return element('div', { class: 'item' }, head, `\n${items.texts[column][item]}\nbase: ${said}\nnow: ${saidNow}`);
  });
  const more = left ? [element('p', { class: 'small' }, `${left} more are left out; crossgraft store show RECORD --flipped prints all.`)] : [];
  return [title, ...made, ...more];
}
