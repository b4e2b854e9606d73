// Reads files of workflow commands as the runner of GitHub Actions does: what it would show must be
// what was meant.
//
//     node github.mjs FILE...
import { readFileSync } from 'node:fs';

const unescapeData = (text) => text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
const unescapeProperty = (text) =>
	unescapeData(text.replaceAll('%3A', ':').replaceAll('%2C', ','));
// What a terminal or a browser would obey: controls, marks that reorder text, half characters.
const obeyed = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]|\p{Cs}/u;

// The runner: "::NAME PROPERTIES::DATA" at the begin of a line, properties split at "," and "=".
function parse(line) {
	const end = line.indexOf('::', 2);

	if (!line.startsWith('::') || end < 0)
		return null;
	const [name, ...rest] = line.slice(2, end).split(' ');
	const properties = {};
	for (const pair of rest.join(' ').split(',')) {
		const [key, ...value] = pair.split('=');
		properties[key.trim()] = unescapeProperty(value.join('='));
	}
	return { name, properties, data: unescapeData(line.slice(end + 2)) };
}

let failed = false;
const fail = (file, what) => {
	failed = true;
	console.log(`${file}: ${what}`);
};
for (const file of process.argv.slice(2)) {
	const bytes = readFileSync(file), counts = {};
	const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);

	for (const line of text.split('\n').filter(Boolean)) {
		const command = parse(line);
		if (!command) {
			if (!line.startsWith('lagprof: '))
				fail(file, `no command: ${line}`);
			continue;
		}
		const { name, properties, data } = command;
		counts[name] = (counts[name] ?? 0) + 1;
		if (!['error', 'warning', 'notice'].includes(name))
			fail(file, `the command "${name}"`);
		for (const key of Object.keys(properties))
			if (!['file', 'line', 'title'].includes(key))
				fail(file, `the property "${key}"`);
		if (properties.file !== undefined && (/^\/|^$/.test(properties.file) || !(properties.line >= 1)))
			fail(file, `the place ${properties.file}:${properties.line}`);
		for (const value of [...Object.values(properties), data])
			if (obeyed.test(value) || value === '')
				fail(file, `the text ${JSON.stringify(value)}`);
	}
	for (const [name, n] of Object.entries(counts))
		if (n > 10)
			fail(file, `${n} of ${name}, and only 10 are shown`);
}
process.exit(failed ? 1 : 0);
