// Reads what the export formats of one recording say and holds it against the JSON report:
// `node exports.mjs FOLDER NAME` with FOLDER/NAME.json, .html, .text, .folded, .pprof, .speedscope,
// .cpuprofile.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import Ajv from 'ajv';
import { check, finish, same } from './checks.mjs';
import { readData } from './data.js';

const [folder, name] = process.argv.slice(2);
const file = format => `${folder}/${name}.${format}`;
const text = format => readFileSync(file(format), 'utf8');
const sum = values => values.reduce((a, b) => a + b, 0);

const report = JSON.parse(text('json'));
const stalls = report.stalls.length, total = sum(report.stalls.map(stall => stall.duration_ns));

function folded() {
	const lines = text('folded').split('\n').filter(Boolean);
	check(lines.every(line => /^[^;].* \d+$/.test(line)), 'folded: frames, a space, a number');
	same(sum(lines.map(line => Number(/\d+$/.exec(line)[0]))), total, 'folded: total');
	same(new Set(lines.map(line => line.replace(/ \d+$/, ''))).size, lines.length, 'folded: each stack once');
}

function speedscope() {
	const profile = JSON.parse(text('speedscope'));
	const schema = JSON.parse(readFileSync(
		new URL('./node_modules/speedscope/dist/release/file-format-schema.json', import.meta.url), 'utf8'));
	const validate = new Ajv({ strict: false }).compile(schema);
	check(validate(profile), `speedscope: ${JSON.stringify(validate.errors)}`);
	same(sum(profile.profiles.flatMap(p => p.weights)), total, 'speedscope: total');
	check(profile.profiles.every(p => p.samples.length === p.weights.length), 'speedscope: a weight a sample');
}

function cpuprofile() {
	const { nodes, samples, timeDeltas, startTime, endTime } = JSON.parse(text('cpuprofile'));
	const byId = new Map(nodes.map(node => [node.id, node]));
	const parents = nodes.flatMap(node => node.children ?? []);
	same(new Set(parents).size, nodes.length - 1, 'cpuprofile: each node but the root has one parent');
	check(samples.every(id => byId.has(id)), 'cpuprofile: samples are at nodes');
	check(timeDeltas.every(delta => delta >= 0), 'cpuprofile: time goes on');
	same(startTime + sum(timeDeltas), endTime, 'cpuprofile: ends where it says');
	const us = sum(samples.map((id, i) => byId.get(id).callFrame.functionName === '(idle)' ? 0 : timeDeltas[i + 1] ?? 0));
	check(Math.abs(us - total / 1000) <= stalls, `cpuprofile: total ${us} us, not ${total / 1000}`);
}

// As much of protobuf as is in a profile.
function* fields(bytes) {
	let at = 0;
	const varint = () => {
		let value = 0n, shift = 0n, byte;
		do {
			byte = BigInt(bytes[at++]);
			value |= (byte & 127n) << shift;
			shift += 7n;
		} while (byte & 128n);
		return value;
	};
	while (at < bytes.length) {
		const tag = Number(varint()), length = (tag & 7) === 2 ? Number(varint()) : 0;
		yield [tag >> 3, length || (tag & 7) === 2 ? bytes.subarray(at, at += length) : varint()];
	}
}

function pprof() {
	const profile = [...fields(gunzipSync(readFileSync(file('pprof'))))];
	const all = number => profile.filter(([n]) => n === number).map(([, value]) => value);
	const values = all(2).map(sample => [...fields([...fields(sample)].find(([n]) => n === 2)[1])]);
	check(values.length || !stalls, 'pprof: has samples');
	same(all(6)[0]?.length, 0, 'pprof: the first text is empty');
	const strict = new TextDecoder('utf-8', { fatal: true });
	check(all(6).every(bytes => strict.decode(bytes) !== null), 'pprof: text is UTF-8');
	try {
		const env = { ...process.env, PPROF_TMPDIR: folder, HOME: folder };
		const raw = execFileSync('go', ['tool', 'pprof', '-raw', file('pprof')], { encoding: 'utf8', env, maxBuffer: 1 << 28 });
		const rows = [...raw.matchAll(/^\s+(\d+)\s+(\d+):/gm)].map(row => row.slice(1).map(Number));
		same(sum(rows.map(([n]) => n)), stalls, 'pprof: stalls');
		same(sum(rows.map(([, ns]) => ns)), total, 'pprof: total');
		if (name === 'plain') {
			const top = execFileSync('go', ['tool', 'pprof', '-top', '-tagfocus=cause=regex', file('pprof')], { encoding: 'utf8', env });
			check(/RegExpImpl::IrregexpExec/.test(top) && !/sha512/.test(top), 'pprof: a cause can be focused on');
			check(/^File: node$/m.test(top), 'pprof: the program is the main file');
		}
	} catch (error) {
		if (error.code !== 'ENOENT')
			throw error;
		console.log('no go here: go tool pprof was not tried');
	}
}

async function html() {
	const page = text('html'), base64 = /id="data">([^<]*)</.exec(page)[1];
	const columns = await readData(base64);
	const us = ['running', 'runnable', 'blocked', 'stopped'].flatMap(state => [...columns[`stall.${state}`]]);
	check(Math.abs(sum(us) - total / 1000) <= 4, `html: total ${sum(us)} us, not ${total / 1000}`);
	same(columns['stall.start'].length, stalls, 'html: stalls');
	const [, verdict] = /<h1 class="\w+">([^<]*)</.exec(page);
	check(text('text').includes(verdict), `html: the verdict is that of the text report: ${verdict}`);
}

for (const format of [folded, speedscope, cpuprofile, pprof, html])
	await format();
finish();
