#!/usr/bin/env bash
# Make radnb/lab/labextension from the sources in this folder: `bash lab/build.sh`. Needs Node; what it makes is committed, so that nobody else does.
set -euo pipefail
cd "$(dirname "$0")"
[ -d node_modules ] || npm ci --ignore-scripts
bash itk/fetch.sh
out=../radnb/lab/labextension
cells=../radnb/view/static    # each file of src/cells is the browser's side of a widget (anywidget)
rm -rf build "$out" "$cells"
node_modules/.bin/tsc
jupyter-builder build .
bash itk/copy.sh "$out/static/itk"
node_modules/.bin/esbuild src/cells/*.ts --bundle --format=esm --target=es2022 --minify --charset=utf8 --legal-comments=none --log-level=warning --outdir="$cells"
{
    echo 'This program contains NiiVue and the packages that NiiVue contains.'
    printf '\n== @niivue/niivue\n'; cat licenses/niivue.txt
    for p in @lukeed/uuid @ungap/structured-clone @zarrita/storage array-equal fflate gl-matrix nifti-reader-js numcodecs zarrita; do
        printf '\n== %s\n' "$p"; cat node_modules/"$p"/[Ll][Ii][Cc][Ee][Nn][SsCc][Ee]*
    done
} > "$out/static/niivue-licenses.txt"
cp "$out/static/niivue-licenses.txt" "$cells"    # NiiVue is in there, too
python seal.py
