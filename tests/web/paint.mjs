// How long a page takes to paint, and to follow what is done to it: `node paint.mjs FILE [ROUNDS]` prints
// a line of JSON, in ms.  Paints are counted from the start of the navigation, steps from the event
// to the frame that shows what came of it; "nothing" is the step that does nothing: the machine's part.
import { open, start } from './browser.mjs';

const [file, rounds = 5] = process.argv.slice(2);
const browser = await start('chromium');

function quantile(values, q) {
	const sorted = values.toSorted((a, b) => a - b);
	return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]);
}

// Clicks and types in the page, so that no round trip to the browser is counted.
async function exercise(rounds) {
	const painted = () => new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
	const times = { nothing: [], zoom: [], search: [], select: [], timeline: [] };
	const step = async (kind, act) => {
		const from = performance.now();
		act();
		await painted();
		times[kind].push(performance.now() - from);
	};
	const press = (element, key) => element.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
	const input = document.querySelector('#flame input'), plot = document.querySelector('.plot');
	const click = element => element.dispatchEvent(new MouseEvent('click', { bubbles: true }));
	let frames = 0;

	for (let i = 0; i < rounds; i++) {
		const all = [...document.querySelectorAll('g.frame')];
		frames = Math.max(frames, all.length);
		await step('nothing', () => {});
		await step('zoom', () => click(all[Math.floor(all.length * (i + 1) / (rounds + 2))].querySelector('rect')));
		await step('zoom', () => click(document.querySelector('g.frame rect')));
		await step('search', () => {
			input.value = `function${i}`;
			input.dispatchEvent(new Event('input'));
		});
		await step('search', () => {
			input.value = '';
			input.dispatchEvent(new Event('input'));
		});
		await step('select', () => click(document.querySelectorAll('#stalls tbody tr')[i]));
		await step('select', () => press(document.body, 'Escape'));
		plot.focus();
		await step('timeline', () => press(plot, '+'));
		await step('timeline', () => press(plot, '0'));
	}
	return { times, frames };
}

const paints = [];
let result;
for (let i = 0; i < rounds; i++) {
	const page = await open(browser, file);
	paints.push(Number(await page.evaluate(() => document.documentElement.dataset.ready)));
	if (i === rounds - 1)
		result = await page.evaluate(exercise, 15);
	await page.close();
}
console.log(JSON.stringify({
	painted: quantile(paints, 0.5),
	...Object.fromEntries(Object.entries(result.times).map(([kind, times]) => [`${kind}_p95`, quantile(times, 0.95)])),
	frames: result.frames,
}));
await browser.close();
