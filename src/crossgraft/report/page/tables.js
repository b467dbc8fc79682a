// Tables sort by a click on a column, filter by a text, show the rest of their rows and save their CSV file.
function activateTable(holder, data) {
  const about = data.tables[holder.dataset.table];
  const table = find('table', holder), body = find('tbody', table), more = find('.more', holder);
  const heads = [...table.querySelectorAll('th')], [sorted, filtered] = ['sort', 'filter'].map((name) => name + holder.dataset.table);
  [...body.rows].forEach((row, number) => (row.number = number));
  let complete = !about.rest.length;

  function completed() { // sorting and filtering are over all rows
    if (complete) return;
    complete = true;
    const start = body.rows.length;
    about.rest.forEach((cells, offset) => {
      const row = element('tr');
      row.number = start + offset;
      for (const cell of cells) {
        const [words, tone] = Array.isArray(cell) ? cell : [cell, ''];
        row.append(element('td', Array.isArray(cell) ? { class: `number ${tone}` } : {}, words));
      }
      body.append(row);
    });
    more?.remove();
  }

  function sortBy(column, descending) {
    completed();
    remember(sorted, (descending ? '-' : '') + (column + 1));
    heads.forEach((head) => head.removeAttribute('aria-sort'));
    heads[column].setAttribute('aria-sort', descending ? 'descending' : 'ascending');
    const key = (row) => about.keys[row.number][column];
    const words = (row) => row.cells[column].textContent;
    const compared = (a, b) => {
      const [x, y] = [key(a), key(b)];
      if (x !== null && y !== null) return descending ? y - x : x - y;
      if (x !== null || y !== null) return x === null ? 1 : -1; // missing last
      return words(a).localeCompare(words(b), 'en', { numeric: true }) * (descending ? -1 : 1);
    };
    body.append(...[...body.rows].sort(compared));
  }

  heads.forEach((head, column) => {
    const button = element('button', { type: 'button', title: 'sort' }, ...head.childNodes);
    button.addEventListener('click', () => sortBy(column, head.getAttribute('aria-sort') === 'ascending'));
    head.replaceChildren(button);
  });
  const tools = element('div', { class: 'tools' });
  if (about.keys.length > 12) {
    const filter = element('input', { type: 'search', placeholder: 'filter rows', 'aria-label': 'filter rows' });
    const count = element('span', { 'aria-live': 'polite' });
    filter.addEventListener('input', () => {
      completed();
      remember(filtered, filter.value);
      const wanted = filter.value.toLowerCase().split(/\s+/);
      let shown = 0;
      for (const row of body.rows) {
        const words = row.textContent.toLowerCase();
        row.hidden = !wanted.every((word) => words.includes(word));
        shown += !row.hidden;
      }
      count.textContent = filter.value ? `${shown} of ${body.rows.length} rows` : '';
    });
    tools.append(filter, count);
    if (view.has(filtered)) {
      filter.value = view.get(filtered);
      filter.dispatchEvent(new Event('input'));
    }
  }
  const order = Number(view.get(sorted));
  if (heads[Math.abs(order) - 1]) sortBy(Math.abs(order) - 1, order < 0);
  if (view.has(sorted) || view.has(filtered)) {
    for (let fold = holder.closest('details'); fold; fold = fold.parentElement.closest('details')) fold.open = true;
  }
  if (more) {
    const all = element('button', { type: 'button' }, `show all ${about.keys.length} rows`);
    all.addEventListener('click', completed);
    more.replaceChildren(all);
  }
  tools.append(saver(data, about.file));
  holder.prepend(tools);
}
