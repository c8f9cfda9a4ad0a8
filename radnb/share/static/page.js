// What the page does by itself: theme, folding, copying, the place in the contents. It needs no network and stores only the theme.
const root = document.documentElement, all = s => [...document.querySelectorAll(s)], byId = i => document.getElementById(i);
const place = 'radnb-theme:' + location.pathname;
const kept = { get() { try { return localStorage.getItem(place); } catch { return null; } }, set(v) { try { localStorage.setItem(place, v); } catch { /* a page may be forbidden to store */ } } };

const theme = byId('theme'), night = matchMedia('(prefers-color-scheme:dark)');
const isDark = () => (root.dataset.theme ? root.dataset.theme === 'dark' : night.matches);
const sayTheme = () => { if (theme) theme.textContent = isDark() ? 'Light' : 'Dark'; };
if (kept.get()) root.dataset.theme = kept.get();
if (theme) theme.onclick = () => { kept.set(root.dataset.theme = isDark() ? 'light' : 'dark'); sayTheme(); };
night.addEventListener('change', sayTheme);
sayTheme();

const codes = all('details.code'), button = byId('codes');
if (button && !codes.length) button.remove();
if (button) {
  const say = open => { button.dataset.open = open ? '1' : '0'; button.textContent = open ? 'Hide all code' : 'Show all code'; };
  say(codes.length && codes.every(d => d.open));
  button.onclick = () => { const open = button.dataset.open !== '1'; codes.forEach(d => (d.open = open)); say(open); };
}

async function copy(text) {
  try { await navigator.clipboard.writeText(text); } catch {   // not allowed, or not a secure page
    const area = Object.assign(document.createElement('textarea'), { value: text });
    document.body.append(area); area.select(); document.execCommand('copy'); area.remove();
  }
}
all('.highlight, .bibtex').forEach(box => {
  const b = Object.assign(document.createElement('button'), { type: 'button', className: 'copy', textContent: 'Copy' });
  b.onclick = async () => { await copy(box.querySelector('pre').textContent); b.textContent = 'Copied'; setTimeout(() => (b.textContent = 'Copy'), 1500); };
  box.append(b);
});

const wide = matchMedia('(min-width:72rem)'), contents = document.querySelector('nav.side details');
if (contents) contents.open = wide.matches && !['article', 'report'].includes(root.dataset.template);
// what can be scrolled sideways can be reached by the keyboard
const reach = () => all('.outputs, .scroll, .prose table, pre').forEach(e => {
  if (e.scrollWidth > e.clientWidth + 1) { e.tabIndex = 0; if (e.matches('.outputs, .scroll')) { e.setAttribute('role', 'region'); e.setAttribute('aria-label', 'scrolls sideways'); } }
  else e.removeAttribute('tabindex');
});
addEventListener('resize', reach); addEventListener('load', reach);

const links = new Map(all('nav.side a[href^="#"]').map(a => [decodeURIComponent(a.hash.slice(1)), a]));
const seen = new IntersectionObserver(entries => entries.filter(e => e.isIntersecting).forEach(e => {
  links.forEach(a => { a.classList.remove('here'); a.removeAttribute('aria-current'); });
  const a = links.get(e.target.id);
  if (a) { a.classList.add('here'); a.setAttribute('aria-current', 'location'); }
}), { rootMargin: '0px 0px -75% 0px' });
all('main h1, main h2, main h3').forEach(h => seen.observe(h));
