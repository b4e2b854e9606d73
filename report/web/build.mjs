// Makes template.html: page, style and script in one file, with a slot for each part that
// report/html.c puts in.  `node build.mjs [FILE]`; the same sources make the same bytes.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const here = path => fileURLToPath(new URL(path, import.meta.url));
const read = path => readFileSync(here(path), 'utf8');

function bundle(entry) {
	const { outputFiles, metafile } = buildSync({
		absWorkingDir: here('.'),
		entryPoints: [entry],
		bundle: true,
		minify: true,
		write: false,
		metafile: true,
		format: 'esm',
		charset: 'utf8',
		target: ['chrome123', 'firefox121', 'safari17.5'],
		legalComments: 'none',
		outdir: 'out',
		alias: Object.fromEntries(['transition', 'scale', 'format', 'ease']
			.map(name => [`d3-${name}`, here('src/still.js')])),
	});
	// A script may bring a style sheet along: ours takes its place.
	const { text } = outputFiles.find(file => extname(file.path) === extname(entry));
	return { text: text.trim(), inputs: Object.keys(metafile.inputs) };
}

// Of each package that went in, its licence; packages with the same one share it.
function licences(inputs) {
	const packages = new Set(inputs.map(path => /^node_modules\/((@[^/]+\/)?[^/]+)/.exec(path)?.[1]));
	const users = new Map([[read('../../LICENSE').trim(), ['lagprof']]]);
	for (const name of [...packages].filter(Boolean).sort()) {
		const { version } = JSON.parse(read(`node_modules/${name}/package.json`));
		const text = read(`node_modules/${name}/LICENSE`).trim();
		users.set(text, [...users.get(text) ?? [], `${name} ${version}`]);
	}
	return [...users].map(([text, names]) => `${names.join(', ')}:\n\n${text}`).join('\n\n');
}

function hash(text) {
	return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

// Text inside an element must not be able to end it.
function inside(text, ...ends) {
	const found = ends.find(end => text.toLowerCase().includes(end));
	if (found)
		throw new Error(`"${found}" in what goes into the page`);
	return text;
}

const script = bundle('src/main.js'), style = bundle('src/style.css');
const parts = {
	script: inside(script.text, '</script', '<!--'),
	style: inside(style.text, '</style'),
	'script-hash': hash(script.text),
	'style-hash': hash(style.text),
	licences: inside(licences([...script.inputs, ...style.inputs]), '-->'),
};
writeFileSync(process.argv[2] ?? here('template.html'),
	read('src/page.html').replace(/@([a-z-]+)@/g, (slot, name) => parts[name]));
