/*
 * Random patterns and subjects for the differential tests of the regex matcher:
 *
 *	node regex_cases.mjs ENGINE COUNT SEED > cases
 *
 * Lines are those of regex_probe.c.  The generator knows more syntax than it understands: what an
 * engine refuses is a case too.
 */
const [engine, count, seed] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4] ?? 1)];

let state = seed >>> 0;
function random(n) {
	state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
	return Math.floor((state / 2 ** 32) * n);
}
const pick = (list) => list[random(list.length)];
const chance = (percent) => random(100) < percent;

const letters = ["a", "b", "c", "A", "B", "_", "1", " ", "\n", "-", "é", "ß", "K", "ſ", "k", "s", "Σ", "ς", "😀", "\u2028"];
const ascii = letters.filter((c) => c < "\x80");
const alphabet = engine === "pcre2" ? ascii : letters;
const v8 = engine === "v8", pcre2 = engine === "pcre2", python = engine === "python";

function literal() {
	if (chance(6)) return pick(["\\n", "\\t", "\\x61", "\\-", "\\.", v8 ? "\\u0061" : "\\x62", v8 ? "\\cA" : "a", "]", "}", "{", "\\0"]);
	return pick(alphabet.filter((c) => c !== "\n" && c !== "\u2028" && (chance(50) || c < "d")));
}
const escape = () => pick(["\\d", "\\D", "\\w", "\\W", "\\s", "\\S", ...(pcre2 ? ["\\h", "\\H", "\\v", "\\N", "\\R"] : [])]);

function classMember() {
	if (chance(20)) return escape().replace(/\\[NR]/, "\\d");
	if (chance(25)) return pick(["a-c", "A-Z", "0-9", "a-zA-Z", "b-b", "_-a", v8 ? "\\x41-\\x44" : "x-z"]);
	if (chance(10)) return pick(["-", "\\]", "\\\\", "^", ".", "$", "\\b", "\\-", ...(v8 ? ["\\d-z", "a-\\w"] : [])]);
	if (pcre2 && chance(20)) return pick(["[:alpha:]", "[:^digit:]", "[:space:]", "[:word:]"]);
	return pick(alphabet.filter((c) => c !== "-"));
}
function classSet(flags) {
	if (flags.includes("v") && chance(50)) {
		const operands = ["[a-c]", "\\w", "[ab]", "\\d", "[^a]", "\\p{L}", "\\p{Lu}"];
		/* V8 (node 24) does not fold \q{...} under i before it intersects, as ECMA-262 has it. */
		if (!flags.includes("i")) operands.push("\\q{ab|b|}", "\\q{abc|a}");
		const operand = () => pick(operands);
		const op = pick(["&&", "--", ""]);
		return "[" + operand() + op + operand() + (op === "" ? "x" : "") + "]";
	}
	let s = chance(30) ? "[^" : "[";
	for (let n = 1 + random(3); n > 0; n--) s += classMember();
	return s + "]";
}

function quantifier() {
	let q = pick(["*", "+", "?", "{2}", "{1,2}", "{0,3}", "{2,}", "{0}", "{1}", "*", "+"]);
	if (python && chance(5)) q = "{,2}";
	if (chance(25)) q += "?";
	else if (!v8 && chance(15)) q += "+";
	return q;
}

function atom(depth, flags) {
	const r = random(100);
	if (depth > 0 && r < 30) return group(depth - 1, flags);
	if (r < 60) return literal();
	if (r < 68) return ".";
	if (r < 78) return classSet(flags);
	if (r < 86) return escape();
	if (r < 91) return pick(["\\1", "\\2", "\\1", v8 ? "\\k<n>" : python ? "(?P=n)" : "\\k<n>", "\\3"]);
	if (v8 && r < 94 && /[uv]/.test(flags)) return pick(["\\p{L}", "\\P{L}", "\\p{Lu}", "\\p{Ll}", "\\u{61}", "\\p{Script=Greek}"]);
	return literal();
}
function assertion(depth, flags) {
	if (chance(60) || depth === 0) return pick(["^", "$", "\\b", "\\B", ...(v8 ? [] : ["\\A", "\\Z"])]);
	const behind = chance(40);
	const open = behind ? pick(["(?<=", "(?<!"]) : pick(["(?=", "(?!"]);
	return open + (behind && !v8 ? literal() : choice(depth - 1, flags)) + ")";
}
function group(depth, flags) {
	const opens = ["(", "(", "(", "(?:", "(?:"];
	if (v8) opens.push("(?<n>");
	else opens.push("(?P<n>", "(?>", "(?i:", "(?s:", "(?-i:");
	if (pcre2) opens.push("(?|", "(?i)(?:");
	let inside = choice(depth, flags);
	if (!v8 && chance(8)) return `(?(1)${literal()}|${literal()})`;
	return pick(opens) + inside + ")";
}
function sequence(depth, flags) {
	let s = "";
	for (let n = random(4) + (chance(80) ? 1 : 0); n > 0; n--) {
		if (chance(12)) s += assertion(depth, flags);
		else {
			s += atom(depth, flags);
			if (chance(40)) s += quantifier();
		}
	}
	return s;
}
function choice(depth, flags) {
	let s = sequence(depth, flags);
	while (chance(25)) s += "|" + sequence(depth, flags);
	return s;
}

function randomFlags() {
	if (v8) return pick(["", "", "i", "m", "s", "u", "iu", "v", "iv", "im", "su", "y"]);
	if (pcre2) return pick(["", "", "i", "m", "s", "im", "x", "U", "D", "A", "n"]);
	return pick(["", "", "i", "m", "s", "a", "im", "x"]);
}
function subject(pattern) {
	const own = [...pattern].filter((c) => alphabet.includes(c));
	let s = "";
	for (let n = random(9); n > 0; n--) s += pick(own.length && chance(60) ? own : alphabet);
	if (v8 && chance(3)) s += "\ud83d";
	return s;
}

const encode = (s) => {
	let out = "";
	for (let i = 0; i < s.length; i++) {
		const c = s.codePointAt(i);
		if (c > 0xffff) i++;
		/* Lone surrogates as UTF-8 would have them. */
		const bytes = c >= 0xd800 && c <= 0xdfff
			? [0xe0 | (c >> 12), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63)]
			: [...Buffer.from(String.fromCodePoint(c))];
		for (const b of bytes) out += "%" + b.toString(16).padStart(2, "0");
	}
	return out;
};

const out = [];
for (let i = 0; i < count; ) {
	const flags = randomFlags(), pattern = choice(3, flags);
	/* Engines before ES2025 refuse a name twice even in different alternatives. */
	if (pattern.length > 60 || pattern.split("<n>").length > 2 + (pattern.split("k<n>").length - 1)) continue;
	for (let n = 4; n > 0 && i < count; n--, i++)
		out.push(`${engine} -${flags} =${encode(pattern)} =${encode(subject(pattern))}`);
}
process.stdout.write(out.join("\n") + "\n");
