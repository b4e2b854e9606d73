// Makes template.html: page, style and script in one file, with a slot for each part that
// report/html.c puts in.  `node build.mjs [FILE]`; the same sources make the same bytes.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const here = path => fileURLToPath(new URL(path, import.meta.url));

function bundle(entry) {
	const { outputFiles } = buildSync({
		entryPoints: [here(entry)],
		bundle: true,
		minify: true,
		write: false,
		format: 'esm',
		charset: 'utf8',
		target: ['chrome116', 'firefox121', 'safari17.5'],
		legalComments: 'none',
		outdir: here('out'),
	});
	// A script may bring a style sheet along: ours takes its place.
	return outputFiles.find(f => extname(f.path) === extname(entry)).text.trim();
}

function hash(text) {
	return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

// The text of the slot must not be able to end the element it is in.
function checked(text, element) {
	if (text.toLowerCase().includes('</' + element) || text.includes('<!--'))
		throw new Error(`${element} would end early`);
	return text;
}

const script = checked(bundle('src/main.js'), 'script');
const style = checked(bundle('src/style.css'), 'style');
const licences = readFileSync(here('LICENCES'), 'utf8');
const page = readFileSync(here('src/page.html'), 'utf8')
	.replace('@licences@', () => licences.trim())
	.replace('@script-hash@', () => hash(script))
	.replace('@style-hash@', () => hash(style))
	.replace('@style@', () => style)
	.replace('@script@', () => script);
writeFileSync(process.argv[2] ?? here('template.html'), page);
