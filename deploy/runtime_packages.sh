#!/usr/bin/env bash
# Prints the Debian packages that hold the shared libraries of the given
# programs, one a line: what the image without a compiler needs.
set -euo pipefail

ldd "$@" | awk '$2 == "=>" && $3 ~ /^\// {print $3}' | sort -u |
  while read -r library; do
    # dpkg knows a file by the path it was installed to, which may be the
    # other side of the /usr merge.
    real=$(readlink -f "$library")
    dpkg-query -S "$real" 2>/dev/null || dpkg-query -S "${real#/usr}"
  done | sed 's/: .*//; s/:[a-z0-9]*$//' | sort -u
