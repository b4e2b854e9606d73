/* Answers the lines of regex_probe.c with what this node says: same output. */
import { readFileSync } from "node:fs";

function decode(s) {
	const bytes = [];
	for (let i = 0; i < s.length; i += 3) bytes.push(parseInt(s.slice(i + 1, i + 3), 16));
	let out = "";
	for (let i = 0; i < bytes.length; ) {
		const b = bytes[i];
		const n = b < 0x80 ? 1 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4;
		let c = n === 1 ? b : b & (0x7f >> n);
		for (let j = 1; j < n; j++) c = (c << 6) | (bytes[i + j] & 63);
		out += String.fromCodePoint(c);
		i += n;
	}
	return out;
}

const answers = [];
for (const line of readFileSync(0, "latin1").split("\n")) {
	if (!line) continue;
	const [, flags, pattern, subject] = line.split(" ");
	let answer;
	try {
		const s = decode(subject.slice(1));
		const m = new RegExp(decode(pattern.slice(1)), flags.slice(1)).exec(s);
		if (!m) answer = "no";
		else {
			/*
			 * Under u and v the matcher counts code points.  V8 finds empty matches inside a
			 * surrogate pair, which ECMA-262 does not: not compared.
			 */
			const inside = (i) => /^[\udc00-\udfff]/.test(s.slice(i)) && /[\ud800-\udbff]$/.test(s.slice(0, i));
			if (/[uv]/.test(flags) && inside(m.index)) throw "quirk";
			const at = /[uv]/.test(flags) ? (i) => [...s.slice(0, i)].length : (i) => i;
			answer = `${at(m.index)} ${at(m.index + m[0].length)}`;
		}
	} catch (e) {
		answer = e === "quirk" ? e : "invalid";
	}
	answers.push(answer);
}
process.stdout.write(answers.join("\n") + "\n");
