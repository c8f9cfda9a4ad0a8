#!/usr/bin/env bash
# Every check of the project, in the order in which they are quick to fail. Needs `bash install.sh dev`.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH" PYTHONWARNINGS=ignore
step() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

step 'modules in sync with their notebooks, notebooks clean'
before=$(mktemp -d); cp -r nbs radnb "$before"
nbdev-clean; nbdev-export
diff -r -x __pycache__ -x .ipynb_checkpoints "$before/nbs" nbs && diff -r -x __pycache__ "$before/radnb" radnb || {
    echo 'Run nbdev-clean and nbdev-export, and commit what they change.'; exit 1; }
python tests/make_readme.py --check

step 'layers and style'
lint-imports
ruff check radnb tests docs setup.py

step 'notebooks'
OMP_NUM_THREADS=1 python tests/notebooks.py --skip 01_journey   # as nbdev-test does, but the outputs are kept for the documentation; the journey is what `radnb demo` runs

step 'documentation'
python docs/build.py --jobs 2   # of the notebooks that were just executed; warnings are errors, no dead links

step 'tests'
OMP_NUM_THREADS=1 python -m pytest -n logical --maxprocesses 8 --dist loadfile -m 'not browser'

step 'tests in the browser'   # one after the other: clicks and repaints have time limits
python -m pytest -m browser
