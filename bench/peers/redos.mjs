/*
 * What other tools say of the patterns of a set, one JSON object a line on standard output:
 *
 *	node redos.mjs MODULES TOOL < set.jsonl
 *
 * MODULES is a folder in which `npm install recheck redos-detector safe-regex2` was run.  CPU time is
 * the tool's own: recheck's native program is a process beside this one.  Exit status 3 after a pattern
 * that hung the tool.
 */
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const LIMIT = 5000;
const [modules, tool] = process.argv.slice(2);
const require = createRequire(modules + "/index.js");

/* CPU time in ms of this process and of the threads of its children. */
function cpu() {
	const { user, system } = process.cpuUsage();
	let ms = (user + system) / 1000;
	for (const pid of readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").split(" ")) {
		if (!pid) continue;
		for (const tid of readdirSync(`/proc/${pid}/task`)) {
			try {
				ms += Number(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, "utf8").split(" ")[0]) / 1e6;
			} catch { /* it ended */ }
		}
	}
	return ms;
}

const tools = {
	"recheck": async ({ pattern, flags }) => {
		const r = await require("recheck").check(pattern, flags, { timeout: LIMIT });
		return r.status === "vulnerable" ? r.complexity.type : r.status;
	},
	"redos-detector": ({ pattern, flags }) => {
		const r = require("redos-detector").isSafe(new RegExp(pattern, flags), { timeout: LIMIT });
		return r.safe ? "safe" : r.error === "timedOut" ? "unknown" : "vulnerable";
	},
	"safe-regex2": ({ pattern, flags }) =>
		require("safe-regex2")(new RegExp(pattern, flags)) ? "safe" : "vulnerable",
};

process.env.RECHECK_BACKEND = "native";
await tools[tool]({ pattern: "a", flags: "" }); /* loads it */
for await (const line of createInterface({ input: process.stdin })) {
	const row = JSON.parse(line), begin = cpu(), wall = performance.now();
	let verdict = "unknown", timer;
	const hang = new Promise((resolve) => (timer = setTimeout(resolve, 3 * LIMIT, "hang")));
	try {
		verdict = await Promise.race([tools[tool](row), hang]);
	} catch {}
	clearTimeout(timer);
	console.log(JSON.stringify({ id: row.id, verdict, ms: cpu() - begin, wall_ms: performance.now() - wall }));
	if (verdict === "hang") process.exit(3);
}
process.exit(0);
