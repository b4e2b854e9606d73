#!/bin/sh
# With a reader that does not read: samples + lost = made, at three ring sizes, and a boundary ring
# that is too small says so.
set -u
status=0
for sizes in 65536 262144 2097152 "2097152 4096"; do
	# shellcheck disable=SC2086
	timeout 60 "$BUILD/tests/ring_loss" $sizes
	code=$?
	[ $code -eq 77 ] && exit 77
	[ $code -eq 0 ] || status=1
done
exit $status
