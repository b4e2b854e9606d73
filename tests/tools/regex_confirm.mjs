/*
 * Runs the attacks of regex_judge.c's output (standard input) in this node and says for each whether
 * the CPU time grows as the verdict claims: faster than length^1.5 up to 30 ms or more.  Exit status 1
 * if any does not.
 *
 *	node regex_confirm.mjs [-v] < verdicts
 */
import { createInterface } from "node:readline";
import vm from "node:vm";

const verbose = process.argv.includes("-v");
const LIMIT = 3000, LIMIT_MAX = 96_000, ENOUGH = 30, LENGTH_MAX = 400_000;
const context = vm.createContext({});
const script = new vm.Script("re.lastIndex = 0; re.exec(subject)");

function cpu(re, subject) {
	context.re = re;
	context.subject = subject;
	/* The limit is by the clock: on a loaded machine it may come before much is used. */
	for (let limit = LIMIT; ; limit *= 2) {
		const begin = process.cpuUsage();
		let ended = true;
		try {
			script.runInContext(context, { timeout: limit });
		} catch (e) {
			if (e.code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw e;
			ended = false;
		}
		const used = process.cpuUsage(begin), ms = (used.user + used.system) / 1000;
		/* What was used until then is less than it takes. */
		if (ended || ms >= LIMIT / 2 || limit >= LIMIT_MAX) return ms;
	}
}

const build = (attack, n) => attack.pumps.map((p) => p.prefix + p.pump.repeat(n)).join("") + attack.suffix;

function confirm({ pattern, flags, attack }) {
	const re = new RegExp(pattern, flags);
	/* Twice, so that it is compiled to machine code. */
	cpu(re, build(attack, 1));
	cpu(re, build(attack, 1));
	const points = [];
	for (let n = 1; ; n = Math.max(n + 1, Math.round(n * 1.35))) {
		const subject = build(attack, n);
		if (subject.length > LENGTH_MAX) return { ok: false, why: "no growth", points };
		const ms = cpu(re, subject);
		points.push([subject.length, ms]);
		if (ms < ENOUGH) continue;
		/* So much for so few characters: no size is small enough to see it grow. */
		if (points.length === 1) return { ok: subject.length < 100, why: "at once", points };
		/* Against the last size that took a quarter of it at most. */
		const base = points.filter((p) => p[1] <= ms / 4 && p[1] > 0.2).pop() ?? points[0];
		const slope = Math.log(ms / base[1]) / Math.log(subject.length / base[0]);
		if (slope >= 1.5) return { ok: true, slope, points };
		if (ms > 400) return { ok: false, why: `slope ${slope.toFixed(2)}`, points };
	}
}

let attacks = 0, failed = 0;
for await (const line of createInterface({ input: process.stdin })) {
	const { id, result } = JSON.parse(line);
	if (!["polynomial", "exponential"].includes(result.verdict)) continue;
	attacks++;
	const { ok, why, slope, points } = confirm({ flags: "", ...result });
	if (!ok) failed++;
	if (!ok || verbose)
		console.log(`${ok ? "confirmed" : "NOT CONFIRMED"} ${id} ${result.verdict} ${result.degree ?? ""} ` +
			`${why ?? slope.toFixed(2)} /${result.pattern.slice(0, 80)}/ ` +
			points.slice(-2).map(([l, t]) => `${l}:${t.toFixed(1)}ms`).join(" "));
}
console.log(`${attacks} attacks, ${attacks - failed} confirmed by node ${process.version}`);
process.exit(failed ? 1 : 0);
