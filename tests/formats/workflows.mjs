// Prints what the two examples of docs/ci.md (GitHub Actions, GitLab CI) have lagprof do, a command a
// line without "lagprof".
//
//     node workflows.mjs docs/ci.md
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

const examples = [...readFileSync(process.argv[2], 'utf8').matchAll(/^```yaml\n(.*?)^```/gms)];
const [github, gitlab] = examples.map(([, text]) => parse(text));
const lines = [
	...github.jobs.lag.steps.map((step) => step.run ?? ''),
	...gitlab.lag.script, ...gitlab.lag.after_script,
];

for (const line of lines)
	for (const [, command] of line.matchAll(/lagprof ((?:run|check) .*)/g))
		console.log(command);
