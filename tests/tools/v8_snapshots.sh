#!/bin/sh
# Takes the snapshots of a version anew:
#	v8_snapshots.sh v8_snapshot-BINARY NODE MAJOR FOLDER [NAME...]
# Run it on copies in paths that may be published (the names of scripts are kept):
#	cp fixtures/node/v8/workloads.js /srv/app/ && cd /srv/app && v8_snapshots.sh ...
# then look at the texts: they are what the unit test holds the reader to.
set -u
tool=$1 node=$2 major=$3 folder=$4
shift 4
only=$*

take()
{
	name=$1 workload=$2 flags=$3
	shift 3
	case " ${only:-$name} " in *" $name "*) ;; *) return ;; esac
	for want; do
		set -- "$@" --want "$want"
		shift
	done
	timeout 60 "$tool" "$@" --save "$folder/node$major-$name" "$node" $flags "$PWD/workloads.js" \
		"$workload" 60 || echo "none: node$major-$name" >&2
}

no_maglev=
[ "${major%.*}" -lt 20 ] || no_maglev=--no-maglev

take crypto pbkdf2 "" pbkdf2Sync "iterations 20000"
take regexp regex "" "(regexp)" "subject length"
take json json "" JSON.parse bytes
take gzip gzip "" gzip "level -1"
take inlined optimized "" "js inner" inlined "js optimized"
take interpreted sort "--no-opt --no-sparkplug $no_maglev" "js sort" workloads.js
take baseline classes "--no-opt --always-sparkplug $no_maglev" Shape workloads.js
[ "${major%.*}" -lt 22 ] || take maglev classes "--maglev --no-turbofan" "js Shape"
[ "${major%.*}" -lt 24 ] || take loops loops --no-opt "js roll" "js loops"
take comparator sort "" "(anonymous) $PWD" Array.prototype.sort
take promise async "" "js step"
take given-up deopt "" "js spoil" "eval at deopt"
