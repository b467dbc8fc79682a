// The matrix on a canvas that stands still in a box that scrolls: labels stay, and only what is seen is drawn.
const LETTERS = 34; // of a label
const NUMBERED = 42; // pixels of a cell that has room for its number
const GROUPS = { task: ['task', 'language'], language: ['language', 'task'], family: ['family', 'language', 'task'] };

const shortened = (name) => (name.length > LETTERS ? name.slice(0, LETTERS - 1) + '…' : name);
const limited = (value, low, high) => Math.max(low, Math.min(high, value));

class Matrix {
  constructor(data, holder, open) {
    Object.assign(this, { data, grid: data.grid, cells: data.grid.cells, open });
    this.model = 0;
    this.shown = 'change';
    this.metric = -1;
    this.order = 'study';
    this.down = this.across = -1; // the cell that is looked at
    this.canvas = element('canvas', { 'aria-hidden': 'true' });
    this.sizer = element('div', {}, this.canvas);
    this.box = element('div', {
      class: 'box', tabindex: '0', role: 'application', 'aria-roledescription': 'matrix',
      'aria-label': 'Change of every treatment on every target: arrow keys move, Enter opens a cell',
    }, this.sizer);
    this.panel = element('div', { class: 'panel', 'aria-live': 'polite' });
    this.legend = element('div', { class: 'legend' });
    this.pen = this.canvas.getContext('2d');
    holder.classList.add('ready');
    holder.append(this.switches(), this.box, this.panel, this.legend);
    this.listen();
    this.arrange();
  }

  // switches

  switches() {
    const { models, metrics, seeds, shrunk } = this.grid;
    const ways = [['change', 'change, mean of seeds']];
    if (shrunk) ways.push(['shrunk', `change, ${shrunk.name}`]);
    seeds.forEach((seed, number) => ways.push([`seed${number}`, `change, seed ${seed}`]));
    ways.push(['now', 'score'], ['base', 'score of the base']);
    const tools = element('div', { class: 'tools' });
    if (models.length > 1) tools.append(this.select('model', 'Model', models.map((name, n) => [n, name]), Number));
    tools.append(this.select('shown', 'Shown', ways, String));
    if (metrics.length > 1) {
      tools.append(this.select('metric', 'Metric', [[-1, 'all'], ...metrics.map((name, n) => [n, name])], Number));
    }
    const orders = ['study', 'task', 'language', 'family', 'effect'].map((name) => [name, name === 'study' ? 'as in the study' : `by ${name}`]);
    tools.append(this.select('order', 'Order', orders, String), saver(this.data, 'matrix.csv'));
    return tools;
  }

  select(field, title, options, read) {
    const menu = element('select', { name: field });
    for (const [value, words] of options) menu.append(element('option', { value }, words));
    const seen = [...menu.options].find((option) => option.text === view.get(field)); // a name outlives its number
    if (seen) [seen.selected, this[field]] = [true, read(seen.value)];
    menu.addEventListener('change', () => {
      this[field] = read(menu.value);
      remember(field, menu.selectedIndex && menu.selectedOptions[0].text);
      this.arrange();
    });
    return element('label', {}, `${title} `, menu);
  }

  // values

  place(row, column) {
    return (this.model * this.grid.rows.length + row) * this.grid.columns.length + column;
  }

  value(place) {
    if (this.metric >= 0 && this.cells.metric[place] !== this.metric) return null;
    if (this.shown === 'shrunk') return this.grid.shrunk.value[place];
    if (this.shown.startsWith('seed')) return this.cells.seeds[Number(this.shown.slice(4))][place];
    return this.cells[this.shown][place];
  }

  shrunk(place) {
    const { value, low, high } = this.grid.shrunk ?? { value: [] }, change = value[place] ?? null;
    return change === null ? '' : signed(change) + (low.length ? ` ${interval(low[place], high[place])}` : '');
  }

  get isScore() {
    return this.shown === 'now' || this.shown === 'base';
  }

  // The order of rows and columns. Means decide the order only; none of them is shown.
  arrange() {
    const { rows, columns, asked } = this.grid;
    const all = [...columns.keys()];
    const mean = (places) => {
      const known = places.map((place) => this.value(place)).filter((value) => value !== null);
      return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : -Infinity;
    };
    const ordered = (names, numbers, effect) => {
      if (GROUPS[this.order]) {
        const seen = GROUPS[this.order].map((key) => [key, [...new Set(numbers.map((n) => names[n][key]))]]);
        const ranks = new Map(numbers.map((n) => [n, seen.map(([key, all]) => all.indexOf(names[n][key]))]));
        const compared = (a, b) => ranks.get(a).map((rank, level) => rank - ranks.get(b)[level]).find(Boolean) ?? a - b;
        return [...numbers].sort(compared);
      }
      if (this.order !== 'effect') return numbers;
      const effects = new Map(numbers.map((n) => [n, effect(n)]));
      return [...numbers].sort((a, b) => effects.get(b) - effects.get(a) || a - b);
    };
    const measured = asked[this.model];
    const used = this.metric < 0 ? all : all.filter((column) => measured.some((row) => this.value(this.place(row, column)) !== null));
    this.rows = ordered(rows, measured, (row) => mean(used.map((column) => this.place(row, column))));
    this.columns = ordered(columns, used, (column) => mean(measured.map((row) => this.place(row, column))));
    this.scale();
    this.layout();
    this.tell();
  }

  scale() {
    const known = this.rows.flatMap((row) => this.columns.map((column) => this.place(row, column)))
      .filter((place) => this.value(place) !== null);
    this.ends = []; // the lowest and the highest value by unit
    for (const place of known) {
      const [low, high] = this.ends[this.cells.unit[place]] ?? [Infinity, -Infinity];
      this.ends[this.cells.unit[place]] = [Math.min(low, this.value(place)), Math.max(high, this.value(place))];
    }
    const units = [...new Set(known.map((place) => this.cells.unit[place]))];
    const deepest = units.map((unit) => `${this.grid.deepest[unit]} ${this.grid.units[unit]}`).join(', ');
    const bar = element('i', this.isScore ? { class: 'level' } : {});
    const ends = this.isScore
      ? [0, 1].map((end) => units.map((unit) => (this.grid.units[unit] === 'pp' ? `${this.ends[unit][end]} %` : `${this.ends[unit][end]}`)).join(', '))
      : [`-${deepest} or less`, `+${deepest} or more`];
    this.legend.replaceChildren(
      element('span', {}, ends[0], bar, ends[1]),
      element('span', {}, '●, – or bold: the interval excludes zero, for better or worse'),
      element('span', {}, '□ the treatment’s own source'),
      element('span', {}, '╱ no number'),
      ...(this.shown === 'shrunk' ? [element('span', {}, this.grid.shrunk.about)] : []),
    );
  }

  // drawing

  layout() {
    const wide = this.box.clientWidth || this.box.parentElement.clientWidth;
    this.pen.font = '12px system-ui, sans-serif';
    const longest = (names) => Math.max(0, ...names.map((name) => this.pen.measureText(shortened(name)).width));
    this.left = Math.min(longest(this.rows.map((row) => this.label(this.grid.rows[row]))) + 12, 0.45 * wide);
    this.top = Math.min(longest(this.columns.map((column) => this.label(this.grid.columns[column]))) + 12, 190);
    this.wide = Math.floor(limited((wide - this.left - 4) / Math.max(1, this.columns.length), 20, 66));
    this.high = this.wide >= NUMBERED ? 25 : 19;
    const width = this.left + this.wide * this.columns.length + 2, height = this.top + this.high * this.rows.length + 2;
    this.sizer.style.width = `${width}px`;
    this.sizer.style.height = `${height}px`;
    this.draw();
  }

  label({ name, family }) {
    return this.order === 'family' && family ? `${family}: ${name}` : name;
  }

  draw() {
    const { pen, canvas, box } = this, ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.min(box.clientWidth, this.sizer.offsetWidth), Math.min(box.clientHeight, this.sizer.offsetHeight)];
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const style = getComputedStyle(document.documentElement);
    this.colours = Object.fromEntries(
      ['paper', 'ink', 'soft', 'better', 'worse', 'mark'].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]),
    );
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.fillStyle = this.colours.paper;
    pen.fillRect(0, 0, width, height);
    const first = (offset, size) => Math.max(0, Math.floor(offset / size));
    const [x0, y0] = [first(box.scrollLeft, this.wide), first(box.scrollTop, this.high)];
    const [x1, y1] = [x0 + Math.ceil(width / this.wide) + 1, y0 + Math.ceil(height / this.high) + 1];
    for (let y = y0; y < Math.min(y1, this.rows.length); y++) {
      for (let x = x0; x < Math.min(x1, this.columns.length); x++) this.drawCell(y, x);
    }
    this.drawGroups(width, height);
    this.drawLabels(width, height);
  }

  corner(y, x) {
    return [this.left + x * this.wide - this.box.scrollLeft, this.top + y * this.high - this.box.scrollTop];
  }

  drawCell(y, x) {
    const { pen, colours, cells } = this, place = this.place(this.rows[y], this.columns[x]);
    const [left, top] = this.corner(y, x), [wide, high] = [this.wide - 1, this.high - 1], value = this.value(place);
    if (value === null) {
      this.stroke(colours.soft, 0.8, [left + wide * 0.3, top + high * 0.75], [left + wide * 0.7, top + high * 0.25]);
    } else {
      const [lowest, highest] = this.ends[cells.unit[place]];
      const part = this.isScore ? (value - lowest) / (highest - lowest || 1) : Math.min(1, Math.abs(value) / this.grid.deepest[cells.unit[place]]);
      pen.globalAlpha = value === 0 && !this.isScore ? 0 : 0.06 + 0.6 * part;
      pen.fillStyle = this.isScore || value > 0 ? colours.better : colours.worse;
      pen.fillRect(left, top, wide, high);
      pen.globalAlpha = 1;
      const clear = !this.isScore && this.shown === 'change' && this.verdict(place) !== 'not distinguishable';
      pen.fillStyle = colours.ink;
      if (wide >= NUMBERED) {
        pen.font = `${clear ? 'bold ' : ''}12px system-ui, sans-serif`;
        pen.textAlign = 'center';
        pen.fillText(this.isScore ? String(value) : signed(value), left + wide / 2, top + high / 2 + 4);
      } else if (clear) {
        this.drawMark(value > 0, left + wide / 2, top + high / 2);
      }
    }
    if (cells.own[place]) this.outline(colours.ink, 1.3, left, top, wide, high);
    if (y === this.down && x === this.across) this.outline(colours.mark, 3, left, top, wide, high);
  }

  drawMark(isBetter, x, y) { // a dot or a dash, so that grey tells better from worse
    if (!isBetter) {
      this.pen.fillRect(x - 4, y - 1, 8, 2);
      return;
    }
    this.pen.beginPath();
    this.pen.arc(x, y, 2.2, 0, 7);
    this.pen.fill();
  }

  outline(colour, width, left, top, wide, high) {
    this.pen.strokeStyle = colour;
    this.pen.lineWidth = width;
    this.pen.strokeRect(left + width / 2, top + width / 2, wide - width, high - width);
  }

  stroke(colour, width, from, to) {
    this.pen.strokeStyle = colour;
    this.pen.lineWidth = width;
    this.pen.beginPath();
    this.pen.moveTo(...from);
    this.pen.lineTo(...to);
    this.pen.stroke();
  }

  drawGroups(width, height) {
    if (!GROUPS[this.order]) return;
    const differs = (names, list, n) => n > 0 && names[list[n]][this.order] !== names[list[n - 1]][this.order];
    this.rows.forEach((_, y) => {
      const [, top] = this.corner(y, 0);
      if (differs(this.grid.rows, this.rows, y)) this.stroke(this.colours.ink, 1, [0, top - 0.5], [width, top - 0.5]);
    });
    this.columns.forEach((_, x) => {
      const [left] = this.corner(0, x);
      if (differs(this.grid.columns, this.columns, x)) this.stroke(this.colours.ink, 1, [left - 0.5, 0], [left - 0.5, height]);
    });
  }

  drawLabels(width, height) {
    const { pen, colours } = this;
    const name = (words, chosen) => {
      pen.font = `${chosen ? 'bold ' : ''}12px system-ui, sans-serif`;
      pen.fillStyle = colours.ink;
      return shortened(words);
    };
    pen.fillStyle = colours.paper;
    pen.fillRect(0, 0, this.left, height);
    pen.textAlign = 'right';
    this.rows.forEach((row, y) => {
      const [, top] = this.corner(y, 0);
      if (top > this.top - this.high && top < height) {
        pen.fillText(name(this.label(this.grid.rows[row]), y === this.down), this.left - 6, top + this.high / 2 + 4, this.left - 8);
      }
    });
    pen.fillStyle = colours.paper;
    pen.fillRect(0, 0, width, this.top);
    pen.textAlign = 'left';
    this.columns.forEach((column, x) => {
      const [left] = this.corner(0, x);
      if (left < this.left - this.wide || left > width) return;
      pen.save();
      pen.translate(left + this.wide / 2 + 4, this.top - 6);
      pen.rotate(-Math.PI / 2);
      pen.fillText(name(this.label(this.grid.columns[column]), x === this.across), 0, 0, this.top - 8);
      pen.restore();
    });
    pen.fillStyle = colours.paper;
    pen.fillRect(0, 0, this.left, this.top);
  }

  // looking at cells

  listen() {
    this.box.addEventListener('scroll', () => requestAnimationFrame(() => this.draw()));
    new ResizeObserver(() => requestAnimationFrame(() => this.layout())).observe(this.box.parentElement);
    this.box.addEventListener('mousemove', (event) => this.look(...this.under(event)));
    this.box.addEventListener('click', (event) => {
      this.look(...this.under(event));
      this.opened();
    });
    this.box.addEventListener('keydown', (event) => this.key(event));
    this.box.addEventListener('focus', () => { if (this.down < 0) this.look(0, 0); });
  }

  under(event) {
    const around = this.box.getBoundingClientRect();
    const x = event.clientX - around.left - this.box.clientLeft, y = event.clientY - around.top - this.box.clientTop;
    if (x < this.left || y < this.top || x >= this.box.clientWidth || y >= this.box.clientHeight) return [-1, -1];
    const down = Math.floor((y - this.top + this.box.scrollTop) / this.high);
    const across = Math.floor((x - this.left + this.box.scrollLeft) / this.wide);
    return down < this.rows.length && across < this.columns.length ? [down, across] : [-1, -1];
  }

  key(event) {
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -1e6], End: [0, 1e6] };
    if (moves[event.key]) {
      const [down, across] = moves[event.key];
      this.look(limited(this.down + down, 0, this.rows.length - 1), limited(this.across + across, 0, this.columns.length - 1));
      this.reveal();
    } else if (event.key === 'Enter' || event.key === ' ') {
      this.opened();
    } else {
      return;
    }
    event.preventDefault();
  }

  reveal() {
    const { box } = this, [left, top] = this.corner(this.down, this.across);
    if (left < this.left) box.scrollLeft -= this.left - left;
    if (left + this.wide > box.clientWidth) box.scrollLeft += left + this.wide - box.clientWidth;
    if (top < this.top) box.scrollTop -= this.top - top;
    if (top + this.high > box.clientHeight) box.scrollTop += top + this.high - box.clientHeight;
  }

  look(down, across) {
    if (down === this.down && across === this.across) return;
    this.down = down;
    this.across = across;
    this.tell();
    this.draw();
  }

  get looked() {
    if (this.down < 0 || this.down >= this.rows.length || this.across >= this.columns.length) return null;
    return this.place(this.rows[this.down], this.columns[this.across]);
  }

  opened() {
    if (this.looked !== null) this.open(this, this.looked);
  }

  verdict(place) {
    const { low, high } = this.cells;
    if (low[place] === null || high[place] === null) return 'not distinguishable';
    return low[place] > 0 ? 'better' : high[place] < 0 ? 'worse' : 'not distinguishable';
  }

  names(place) {
    const wide = this.grid.columns.length, row = Math.floor(place / wide) % this.grid.rows.length;
    return [this.grid.rows[row].name, this.grid.columns[place % wide].name, this.grid.models[this.model]];
  }

  level(place, value) {
    if (value === null) return '–';
    return this.grid.units[this.cells.unit[place]] === 'pp' ? `${value.toFixed(1)} %` : String(value);
  }

  tell() {
    const place = this.looked;
    if (place === null) {
      this.panel.textContent = 'Point at a cell, or use the arrow keys. A click or Enter opens it.';
      return;
    }
    const [treatment, target, model] = this.names(place), { cells, grid } = this;
    const head = element('b', {}, `${treatment} on ${target}`);
    if (cells.change[place] === null) {
      this.panel.replaceChildren(head, `, ${model}: no number; ${grid.why[place] ?? 'not measured'}`);
      return;
    }
    const unit = grid.units[cells.unit[place]], count = cells.count[place];
    this.panel.replaceChildren(
      head,
      `, ${model}: ${signed(cells.change[place])} ${unit} ${interval(cells.low[place], cells.high[place])}, ${this.verdict(place)}; ` +
        `n = ${cells.n[place] || 'unknown'}, ${count} ${count === 1 ? 'seed' : 'seeds'}; ` +
        `${grid.metrics[cells.metric[place]]} of the base ${this.level(place, cells.base[place])}, now ${this.level(place, cells.now[place])}` +
        (this.shrunk(place) && `; ${grid.shrunk.name} ${this.shrunk(place)}`),
    );
  }
}
