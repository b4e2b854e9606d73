'use strict';
// One stall after another, each of the same work in JavaScript and in C++; the count of them is in the
// file named.
const crypto = require('crypto');
const fs = require('fs');

const out = fs.openSync(process.argv[2], 'w');
const rows = JSON.stringify(Array.from({ length: 4000 }, (_, id) => ({ id, name: 'row ' + id })));
const count = Buffer.alloc(8);
let done = 0;

function work() {
	let sum = 0;
	crypto.pbkdf2Sync('password', 'salt', 15000, 32, 'sha512');
	for (let i = 0; i < 6; i++)
		sum += JSON.parse(rows).filter((row) => row.name.endsWith('7')).length;
	for (let i = 0; i < 4e6; i++)
		sum = (sum * 31 + i) | 0;
	return sum;
}

setInterval(() => {
	work();
	count.writeBigUInt64LE(BigInt(++done));
	fs.writeSync(out, count, 0, 8, 0);
}, 1);
