// Opens exports in speedscope, the program: `node import.mjs FILE...`
import { fileURLToPath } from 'node:url';
import { start } from './browser.mjs';
import { check, finish } from './checks.mjs';

const app = new URL('./node_modules/speedscope/dist/release/index.html', import.meta.url);
const kinds = {
	pprof: 'protobuf', speedscope: 'speedscope json', cpuprofile: 'Chrome CPU Profile', folded: 'collapsed stack',
};
const browser = await start('chromium');
for (const file of process.argv.slice(2)) {
	const page = await browser.newPage(), said = [];
	page.on('console', message => said.push(message.text()));
	page.on('pageerror', error => said.push(`error: ${error.message}`));
	await page.goto(fileURLToPath(app).replace(/^/, 'file://'));
	const input = await page.waitForSelector('input[type=file]');
	await input.uploadFile(file);
	await page.waitForFunction(() => document.title.includes('-'), { timeout: 20000 }).catch(() => {});
	const kind = kinds[file.split('.').at(-1)];
	check(said.some(line => line.toLowerCase().includes(`importing as ${kind}`.toLowerCase())), `${file}: ${said.join(' | ')}`);
	check(!said.some(line => /error|fail/i.test(line)), `${file}: ${said.join(' | ')}`);
	check((await page.title()) !== 'speedscope', `${file} is shown: ${await page.title()}`);
	await page.close();
}
await browser.close();
finish();
