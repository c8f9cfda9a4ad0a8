#!/usr/bin/env bash
# Put the packages of packages.txt (name, version, SHA-512 in base64) into node_modules. They are taken as npm ships them, already bundled, without the
# hundreds of packages that they were made of: so not by way of package.json.
set -euo pipefail
cd "$(dirname "$0")"
while read -r name version sum; do
    here=../node_modules/$name
    if grep -qs "\"version\": \"$version\"" "$here/package.json"; then continue; fi
    work=$(mktemp -d)
    npm pack --silent --pack-destination "$work" "$name@$version" >/dev/null
    [ "$(openssl dgst -sha512 -binary "$work/$name-$version.tgz" | base64 -w0)" = "$sum" ] || { echo "$name $version is not the package that we know" >&2; exit 1; }
    rm -rf "$here"; mkdir -p "$here"
    tar xzf "$work/$name-$version.tgz" -C "$here" --strip-components=1
    rm -rf "$work"
done < packages.txt
