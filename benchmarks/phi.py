"""How well burned-in text is found: synthetic names, numbers and dates in real CT, MR and ultrasound images and a synthetic radiograph,
by height of the letters. Needs `radnb[ocr]` and the development data ($RADNB_DATA). Run: nice -n 10 python benchmarks/phi.py"""
import os, time
from pathlib import Path
import numpy as np
import pydicom
from PIL import Image, ImageDraw, ImageFont
from radnb.data.deid import _margin
from radnb.data.phantom import ct_phantom, radiograph
from radnb.data.phi import read_text
from radnb.measure.stats import wilson

DATA = Path(os.environ.get('RADNB_DATA', Path(__file__).resolve().parents[2]/'shared'/'data'))
HEIGHTS = (5, 6, 7, 8, 10, 14, 20)  # of a capital letter, pixels
CONTRASTS = (.1, .2, .4, .8)  # of the grey range of the tissue
NAMES = 'MILLER ANNA;Weber, Karl;O\'NEIL^PAT;Yılmaz Ayşe;GARCIA LOPEZ MARIA;van der Berg J.'.split(';')
LINES = [lambda r: NAMES[r.integers(len(NAMES))], lambda r: f'ID {r.integers(10**6, 10**7)}', lambda r: f'{r.integers(1,29):02}.{r.integers(1,13):02}.19{r.integers(30,99)}',
         lambda r: f'DOB {r.integers(1940,2005)}-{r.integers(1,13):02}-{r.integers(1,29):02}', lambda r: f'ACC A{r.integers(10**4, 10**6)}']


def images(rng):
    "(kind, picture) of images without text: real ones, and a radiograph of a synthetic patient."
    take = lambda pattern, n: [sorted(DATA.glob(pattern))[i] for i in np.linspace(0, len(sorted(DATA.glob(pattern)))-1, n).astype(int)]
    for f in take('ct_contrast_age/**/*.dcm', 10): yield 'CT', pydicom.dcmread(f).pixel_array.astype(np.float32)
    for f in take('dicom/mprage_sagittal/*.dcm', 10): yield 'MR', pydicom.dcmread(f).pixel_array.astype(np.float32)
    for f in take('hc18/*_*HC.png', 10): yield 'ultrasound', np.asarray(Image.open(f).convert('L')).astype(np.float32)
    for seed in range(3):
        xray = radiograph(ct_phantom(seed, size=(48,160,160), nodules=0)[0]).data[0]
        xray[:9, :60] = 0  # without radnb's own mark
        yield 'radiograph', np.asarray(Image.fromarray(xray.astype(np.float32)).resize((1400, 1400), Image.BICUBIC))


def font(height):
    "A font whose capitals are `height` pixels high."
    import matplotlib
    path = Path(matplotlib.get_data_path())/'fonts'/'ttf'/('DejaVuSans.ttf' if height%4 else 'DejaVuSansMono.ttf')
    return ImageFont.truetype(str(path), round(height/.729))


def burn(picture, height, rng, n=3):
    "A copy of `picture` with `n` lines of text at random places, each of a contrast of `CONTRASTS`, bright or dark; and [(mask, contrast)]."
    low, high = np.percentile(picture, (1, 99.5))
    out, masks = picture.copy(), []
    for _ in range(n*20):
        if len(masks) == n: break
        layer = Image.new('L', picture.shape[::-1]); draw = ImageDraw.Draw(layer)
        text = LINES[rng.integers(len(LINES))](rng)
        box = draw.textbbox((0, 0), text, font(height))
        if box[2] > picture.shape[1]-8: continue
        x, y = (int(rng.integers(2, max(3, s-b-4))) for s, b in ((picture.shape[1], box[2]), (picture.shape[0], box[3])))
        draw.text((x, y), text, 255, font(height))
        alpha = np.asarray(layer)/255.
        mask = alpha > .3
        if any(_close(mask, m) for m, _ in masks): continue
        around = float(np.median(out[mask]))
        contrast = CONTRASTS[rng.integers(len(CONTRASTS))]
        step = contrast*(high-low)
        value = around-step if around-step >= low else around+step
        out = out*(1-alpha) + value*alpha
        masks.append((mask, contrast))
    return out, masks


def _close(a, b):
    rows = lambda m: np.flatnonzero(m.any(1))[[0, -1]]
    return rows(a)[0] <= rows(b)[1]+4 and rows(b)[0] <= rows(a)[1]+4


def covered(mask, boxes):
    "Share of the pixels of a line of text that would be blacked out."
    hit = np.zeros_like(mask)
    for b in boxes: hit[_margin(b.box, mask.shape)] = True
    return (hit & mask).sum()/mask.sum()


def interval(k, n):
    e = wilson(k, n)
    return f'{100*e.value:.0f} % ({100*e.low:.0f} to {100*e.high:.0f}), {k}/{n}'


def main():
    rng, seen, clean, faint = np.random.default_rng(0), {}, {}, {}
    start, n_images = time.process_time(), 0
    for i, (kind, picture) in enumerate(images(rng)):
        alarms = read_text(picture); n_images += 1
        clean.setdefault(kind, []).append(len(alarms))
        for height in (HEIGHTS[i % len(HEIGHTS)], HEIGHTS[(i+3) % len(HEIGHTS)]):
            burnt, masks = burn(picture, height, rng); n_images += 1
            boxes = read_text(burnt)
            shares = [covered(m, boxes) for m, _ in masks]
            for (_, c), share in zip(masks, shares): faint.setdefault((c, height > 7), []).append(share)
            seen.setdefault(height, []).append(shares)
    print('| height of capitals (pixels) | lines found (95 % CI) | images with every line found (95 % CI) | pixels blacked out, of lines found |\n|---|---|---|---|')
    for h in sorted(seen):
        lines = [s for shares in seen[h] for s in shares]
        found = [s for s in lines if s >= .5]
        whole = sum(all(s >= .5 for s in shares) for shares in seen[h])
        print(f'| {h} | {interval(len(found), len(lines))} | {interval(whole, len(seen[h]))} | {100*np.mean(found) if found else 0:.1f} % |')
    print('\n| contrast, share of the grey range | lines of 5 to 7 pixels found | lines of 8 to 20 pixels found |\n|---|---|---|')
    for c in CONTRASTS: print(f'| {c} | ' + ' | '.join(interval(sum(s >= .5 for s in faint[c, tall]), len(faint[c, tall])) for tall in (False, True)) + ' |')
    print('\n| images without text | with a false alarm (95 % CI) | false alarms per image |\n|---|---|---|')
    for kind, counts in clean.items(): print(f'| {kind} | {interval(sum(c > 0 for c in counts), len(counts))} | {np.mean(counts):.2f} |')
    print(f'\n{n_images} images, {(time.process_time()-start)/n_images:.2f} s of processor time each')


if __name__ == '__main__': main()
