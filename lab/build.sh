#!/usr/bin/env bash
# Make radnb/lab/labextension from the sources in this folder: `bash lab/build.sh`. Needs Node; what it makes is committed, so that nobody else does.
set -euo pipefail
cd "$(dirname "$0")"
[ -d node_modules ] || npm ci --ignore-scripts
out=../radnb/lab/labextension
rm -rf build "$out"
node_modules/.bin/tsc
jupyter-builder build .
{
    echo 'This program contains NiiVue and the packages that NiiVue contains.'
    printf '\n== @niivue/niivue\n'; cat licenses/niivue.txt
    for p in @lukeed/uuid @ungap/structured-clone @zarrita/storage array-equal fflate gl-matrix nifti-reader-js numcodecs zarrita; do
        printf '\n== %s\n' "$p"; cat node_modules/"$p"/[Ll][Ii][Cc][Ee][Nn][SsCc][Ee]*
    done
} > "$out/static/niivue-licenses.txt"
python seal.py
