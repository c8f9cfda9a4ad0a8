"""Dead links of a built site: every link to a page, a picture or an anchor of the site itself must lead somewhere. Nothing is asked of the network.

    python docs/links.py docs/_build/html"""
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

class _Page(HTMLParser):
    "The anchors of a page, and what it refers to."
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.anchors, self.refers, self.loads = set(), [], []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.anchors |= {attrs[k] for k in ('id', 'name') if attrs.get(k) and (k == 'id' or tag == 'a')}
        for k in ('href', 'src'):
            if not attrs.get(k): continue
            loaded = k == 'src' or (tag == 'link' and attrs.get('rel') in ('stylesheet', 'preload', 'icon', 'shortcut icon'))
            (self.loads if loaded else self.refers).append(attrs[k])

def read(path):
    page = _Page()
    page.feed(path.read_text(encoding='utf-8'))
    return page

def dead(
    root # Folder of the built site
) -> list: # (page, link, what is wrong)
    "The links that lead nowhere, and whatever a page would fetch from elsewhere when it is opened."
    root = Path(root).resolve()
    pages = {p: read(p) for p in sorted(root.rglob('*.html')) if '_static' not in p.parts}
    found = []
    for path,page in pages.items():
        for url in dict.fromkeys(page.refers+page.loads):
            parts = urlsplit(url)
            if parts.scheme in ('http', 'https') or url.startswith('//'):
                if url in page.loads: found.append((path, url, 'would be fetched from the network'))
                continue
            if parts.scheme: continue
            target = (path.parent/unquote(parts.path)).resolve() if parts.path else path
            if not target.is_relative_to(root) or not target.is_file(): found.append((path, url, 'no such file'))
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors and parts.fragment not in ('', 'top'):
                found.append((path, url, 'no such anchor'))
    return [(p.relative_to(root).as_posix(), url, why) for p,url,why in found]

if __name__ == '__main__':
    lost = dead(sys.argv[1])
    for page,url,why in lost: sys.stdout.write(f'{page}: {url}: {why}\n')
    if lost: sys.exit(f'{len(lost)} dead links')
