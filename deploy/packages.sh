#!/usr/bin/env bash
# Installs the Debian packages Trireme is built from (reasons and licences:
# deploy/cmake/Dependencies.cmake). Does nothing when all are there.
set -euo pipefail

packages=(
  g++ cmake ninja-build pkg-config ccache
  libabsl-dev libspdlog-dev libssl-dev libisal-dev librocksdb-dev
  libzstd-dev
  libprotobuf-dev protobuf-compiler libgrpc++-dev protobuf-compiler-grpc
  libyaml-cpp-dev libcli11-dev nlohmann-json3-dev libsqlite3-dev
  libboost-dev libnghttp2-dev libcbor-dev rapidjson-dev
  libgtest-dev libgmock-dev libbenchmark-dev e2fsprogs iproute2 mount
)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null |
    grep -qx installed || missing+=("$package")
done
((${#missing[@]})) || exit 0

echo "Installing ${#missing[@]} Debian packages: ${missing[*]}"
as_root=()
((EUID == 0)) || as_root=(sudo)
"${as_root[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq \
  --no-install-recommends "${missing[@]}" >/dev/null
