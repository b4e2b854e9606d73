// Spoils a good document in one way after the other, to show that the checks see it.
//
//     node broken.mjs FORMAT FILE PREFIX     writes PREFIX-N.FORMAT and prints their names
import { readFileSync, writeFileSync } from 'node:fs';

const [format, file, prefix] = process.argv.slice(2);
const text = readFileSync(file, 'utf8');

// Of what is JSON, changes to the parsed document.
const changes = {
	sarif: [
		(d) => { delete d.runs; },
		(d) => { d.version = '2.0.0'; },
		(d) => { delete d.runs[0].tool.driver.name; },
		(d) => { d.runs[0].results[0].level = 'fatal'; },
		(d) => { delete d.runs[0].results[0].message; },
		(d) => { d.runs[0].results[0].locations[0].physicalLocation.region.startLine = 0; },
		(d) => { d.runs[0].results[0].partialFingerprints = { 'lagprof/v1': 7 }; },
		(d) => { d.runs[0].results[0].severity = 'high'; },
	],
	gitlab: [
		(d) => { d[0].severity = 'high'; },
		(d) => { d[0].location.path = '/srv/shop/server.js'; },
		(d) => { d[0].location.lines.begin = 0; },
		(d) => { delete d[0].fingerprint; },
		(d) => { d[0].line = 3; },
	],
	json: [
		(d) => { d.schema = 'lagprof.report/9'; },
		(d) => { d.session.duration_ns = 1.5; },
		(d) => { d.findings[0].cause = 'bad_luck'; },
		(d) => { d.findings[0].line = 3; },
		(d) => { delete d.findings[0].fingerprint; },
		(d) => { d.stalls[0].running_ns = -1; },
		(d) => { d.budget.verdict = 'green'; },
	],
};
// Of the others, changes to the text.
const replacements = {
	junit: [
		[/ name="/, ' title="'],
		[/<testsuite /, '<suite '],
		[/<testcase/, '<testcase line="3"'],
		[/ errors="\d+"/, ' mistakes="0"'],
		[/<testsuites/, '<testsuites file="x"'],
		[/<\/testsuites>/, ''],
	],
	github: [
		[/^::error /m, '::fatal '],
		[/,line=\d+/, ',line=0'],
		[/file=/, 'file=/'],
		[/,title=/, ',name='],
		[/^::error .*$/m, (line) => `${line}\nas it is`],
		[/^::error .*$/m, (line) => `${line}\u202e`],
		[/^::error .*$/m, (line) => Array(11).fill(line).join('\n')],
	],
};

function* spoil() {
	for (const change of changes[format] ?? []) {
		const document = JSON.parse(text);
		change(document);
		yield JSON.stringify(document);
	}
	for (const [what, by] of replacements[format] ?? []) {
		if (!what.test(text))
			throw new Error(`${file}: no ${what}`);
		yield text.replace(what, by);
	}
}
let n = 0;
for (const spoilt of spoil()) {
	const name = `${prefix}-${++n}.${format}`;
	writeFileSync(name, spoilt);
	console.log(name);
}
