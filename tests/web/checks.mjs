// Counts and prints what does not hold.
let failures = 0, checks = 0;

export function check(holds, words) {
	checks++;
	if (holds)
		return;
	failures++;
	console.log(`FAILED: ${words}`);
}

export function same(actual, expected, words) {
	const [a, b] = [actual, expected].map(v => JSON.stringify(v));
	check(a === b, `${words}: ${a}, not ${b}`);
}

export function finish() {
	console.log(`${checks} checks, ${failures} failed`);
	process.exitCode = failures ? 1 : 0;
}
