# Every dependency of Trireme, with the reason and the licence. All are Debian
# packages; deploy/packages.sh installs them by the names given here.
find_package(PkgConfig QUIET)
if(NOT PKG_CONFIG_FOUND)
  message(FATAL_ERROR
    "pkg-config is missing. Install it with: apt-get install pkg-config")
endif()

# trireme_find(<package> <minimum version or ""> <Debian packages> [options])
macro(trireme_find package minimum debian)
  find_package(${package} ${minimum} QUIET ${ARGN})
  if(NOT ${package}_FOUND)
    message(FATAL_ERROR
      "${package} ${minimum} or newer is missing. "
      "Install it with: apt-get install ${debian}")
  endif()
endmacro()

function(trireme_find_pkg target module minimum debian)
  pkg_check_modules(${target} QUIET IMPORTED_TARGET GLOBAL
                    "${module}>=${minimum}")
  if(NOT ${target}_FOUND)
    message(FATAL_ERROR
      "${module} ${minimum} or newer is missing. "
      "Install it with: apt-get install ${debian}")
  endif()
endfunction()

find_package(Threads REQUIRED)
# Status, containers, time, strings (Apache-2.0).
trireme_find(absl "" libabsl-dev CONFIG)
# Logging (MIT).
trireme_find(spdlog 1.10 libspdlog-dev CONFIG)
# MD5 of partition keys, AWS signatures, TLS (Apache-2.0).
trireme_find(OpenSSL 3.0 libssl-dev)
# CRC32C, and the CRC32 of event streams, with SSE4.2/PCLMUL (BSD-3-Clause).
trireme_find_pkg(ISAL libisal 2.30 libisal-dev)
# Shard logs and tables (Apache-2.0 or GPL-2.0).
trireme_find(RocksDB 7.8 librocksdb-dev CONFIG)
# Compressed records; RocksDB needs it too (BSD-3-Clause or GPL-2.0).
trireme_find_pkg(ZSTD libzstd 1.5 libzstd-dev)
# Wire contracts and RPC (BSD-3-Clause, Apache-2.0).
trireme_find(Protobuf 3.21 "libprotobuf-dev protobuf-compiler")
trireme_find(gRPC 1.51 "libgrpc++-dev protobuf-compiler-grpc" CONFIG)
# Configuration files (MIT).
trireme_find(yaml-cpp 0.7 libyaml-cpp-dev CONFIG)
# The Kinesis endpoint: sockets and TLS (Asio), HTTP/1.1 (Beast); headers only
# (BSL-1.0).
trireme_find(Boost 1.74 libboost-dev)
# HTTP/2 of the Kinesis endpoint (MIT).
trireme_find_pkg(NGHTTP2 libnghttp2 1.52 libnghttp2-dev)
# CBOR of the Kinesis endpoint: nlohmann-json cannot write tagged times, and its
# reader recurses as deep as its input says (MIT).
trireme_find_pkg(LIBCBOR libcbor 0.8 libcbor-dev)
# JSON of the Kinesis endpoint, read and written by megabytes (nlohmann-json goes
# character by character); headers only (MIT).
trireme_find(RapidJSON 1.1 rapidjson-dev)
# Command line (BSD-3-Clause).
trireme_find_pkg(CLI11 CLI11 2.1 libcli11-dev)
# The tree of a request's members; JSON of --output json (MIT).
trireme_find(nlohmann_json 3.11 nlohmann-json3-dev CONFIG)
# The database that client/examples/order_enrichment writes to, and nothing else
# (public domain).
trireme_find_pkg(SQLITE sqlite3 3.40 libsqlite3-dev)
if(BUILD_TESTING)
  # Unit tests (BSD-3-Clause).
  trireme_find(GTest 1.12 "libgtest-dev libgmock-dev" CONFIG)
  # Micro benchmarks in tests/bench (Apache-2.0).
  trireme_find(benchmark 1.7 libbenchmark-dev CONFIG)
endif()
