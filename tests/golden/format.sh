#!/bin/sh
# The C files are as clang-format 14 writes them; `./dev fmt --fix` mends them.
clang-format --version 2>/dev/null | grep -q 'version 14\.' || exit 77
cd "$SOURCE" || exit 1
git rev-parse --git-dir >/dev/null 2>&1 || exit 77
./dev fmt
