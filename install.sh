#!/usr/bin/env bash
# Make .venv beside this file and install radnb into it.
#   bash install.sh        to use it
#   bash install.sh dev    to change and test it: editable, with the test tools, Chromium, dcm2niix, dcmtk and dicom3tools
set -euo pipefail
cd "$(dirname "$0")"
python=${PYTHON:-python3.11}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
debian() { as_root apt-get update -qq && as_root apt-get install -y -qq --no-install-recommends "$@"; }

"$python" -c 'import ensurepip' 2>/dev/null || debian python3.11-venv
[ -x .venv/bin/python ] || "$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --upgrade pip

echo "Installing radnb into $PWD/.venv (with PyTorch: several GB, some minutes) ..."
if [ "${1:-}" = dev ]; then
    missing=()
    for p in chromium:chromium dcm2niix:dcm2niix dcmdump:dcmtk dciodvfy:dicom3tools; do command -v "${p%%:*}" >/dev/null || missing+=("${p##*:}"); done
    [ ${#missing[@]} = 0 ] || debian "${missing[@]}" fonts-dejavu-core
    .venv/bin/python -m pip install --quiet -e '.[dev]'
    .venv/bin/python -m radnb.lab >/dev/null    # JupyterLab finds radnb's extension in the source tree
else
    .venv/bin/python -m pip install --quiet .
fi
.venv/bin/python -c 'import radnb; print("radnb", radnb.__version__, "is installed")'
