// What all parts use: elements, the view, numbers as the rest of the report writes them, files to save, the theme.
const find = (query, within = document) => within.querySelector(query);

// What is chosen is in the address: a reload or a link shows it again. What stands as it was written is not in it.
const view = new URLSearchParams(location.hash.slice(1));

function remember(name, value) {
  if (value) view.set(name, value);
  else view.delete(name);
  history.replaceState(null, '', `#${view}`);
}

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children); // texts become text nodes: nothing of the data is read as HTML
  return made;
}

function signed(value) {
  if (value === null || value === undefined) return '–';
  if (value === 0) return '0';
  if (Math.abs(value) < 0.005) return '≈0';
  const digits = Math.round(Math.abs(value) * 100) % 10 ? 2 : 1;
  return (value > 0 ? '+' : '-') + Math.abs(value).toFixed(digits);
}

const interval = (low, high) => (low === null || high === null ? '[no interval]' : `[${signed(low)}, ${signed(high)}]`);

async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return JSON.parse(await new Response(stream).text());
}

function save(name, text) {
  const link = element('a', { download: name, href: URL.createObjectURL(new Blob([text], { type: 'text/csv' })) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function saver(data, name) {
  const button = element('button', { type: 'button' }, 'CSV');
  button.title = `save ${name}`;
  button.addEventListener('click', () => save(name, data.files[name]));
  return button;
}

function themeSwitch(changed) {
  const root = document.documentElement, button = find('#theme');
  const isDark = () =>
    root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  const named = () => (button.textContent = isDark() ? 'Light' : 'Dark');
  button.hidden = false;
  button.addEventListener('click', () => {
    root.dataset.theme = isDark() ? 'light' : 'dark';
    named();
    changed();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { named(); changed(); });
  named();
}
