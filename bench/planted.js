// A node loop with planted stalls that logs its own truth: see truth.py.
//
//     planted.js idle|saturated COUNT LOG
//
// "ready PID" once the loop runs; the stalls begin at SIGUSR1.  Each line of LOG: START END KIND MS
'use strict';
const fs = require('fs');

const [mode, count, log] = [process.argv[2], Number(process.argv[3]), process.argv[4]];
const lengths = [5, 10, 20, 50, 100, 200];
const cell = new Int32Array(new SharedArrayBuffer(4));
const lines = [];

function now() {
	return process.hrtime.bigint();
}

function spin(until) {
	while (now() < until);
}

function sleep(until) {
	for (let left = until - now(); left > 0n; left = until - now())
		Atomics.wait(cell, 0, 0, Number(left) / 1e6);
}

function chopped(until) {
	while (now() < until)
		Atomics.wait(cell, 0, 0, 0.3);
}

const kinds = { spin, sleep, chopped };
const names = Object.keys(kinds);

function plant(n) {
	const kind = names[n % names.length];
	const length = lengths[Math.floor(n / names.length) % lengths.length];
	const start = now();

	kinds[kind](start + BigInt(length) * 1000000n);
	lines.push(`${start} ${now()} ${kind} ${length}`);
}

let planted = 0;

function goOn() {
	if (planted === count) {
		fs.writeFileSync(log, lines.join('\n') + '\n');
		process.exit(0);
	}
	plant(planted++);
	setTimeout(goOn, 20);
}

function turn() {
	setImmediate(turn);
}

process.on('SIGUSR1', () => setTimeout(goOn, 20));
setInterval(() => {}, 1000);
if (mode === 'saturated')
	turn();
console.log(`ready ${process.pid}`);
