#!/usr/bin/env bash
# Copy what itk-vtk-viewer needs in a notebook into FOLDER, with its licences: `bash copy.sh FOLDER`. Its readers of image and mesh files (74 MB), and the
# filters that only they need, stay away: voxels come from the kernel.
set -euo pipefail
out=$1; nm=$(dirname "$0")/../node_modules; viewer=$nm/itk-vtk-viewer/dist
mkdir -p "$out/itk/pipeline" "$out/itk/web-workers/min-bundles"
cp "$(dirname "$0")/index.html" "$out"
cp "$viewer"/itkVtkViewer.js "$viewer"/124.itkVtkViewer.js "$out"
cp "$viewer"/itk/pipeline/BloscZarr.{umd.js,wasm} "$out/itk/pipeline"
cp "$viewer"/itk/web-workers/min-bundles/pipeline.worker.js "$out/itk/web-workers/min-bundles"
cp "$nm"/itk-viewer-bootstrap-ui/dist/bootstrapUIMachineOptions.js.es.js "$out"
cp "$nm"/imjoy-core/dist/imjoy-{core,loader}.min.js "$nm"/imjoy-rpc/dist/imjoy-rpc.min.js "$out"
sed -i '/^\/\/# sourceMappingURL=/d' "$out"/*.js    # no maps are shipped, so nothing shall ask for them
{
    echo 'itk-vtk-viewer, its user interface, and ImJoy, which carries its messages.'
    for p in itk-vtk-viewer itk-viewer-bootstrap-ui imjoy-core imjoy-rpc; do printf '\n== %s\n' "$p"; cat "$nm/$p/LICENSE"; done
    for f in itkVtkViewer.js itkVtkViewer.worker.js; do printf '\n== contained in %s\n' "$f"; cat "$viewer/$f.LICENSE.txt"; done
} > "$out/LICENSES.txt"
