// Takes a picture of a report, to look at it: `node picture.mjs PAGE OUT.png [WIDTH [HEIGHT [light|dark
// [SELECTOR...]]]]`.  A SELECTOR is clicked or, if it is a details element, opened; "@SELECTOR" is scrolled to.
import { open, start } from './browser.mjs';

const [file, out, width = 1280, height = 1000, scheme = 'light', ...steps] = process.argv.slice(2);
const browser = await start('chromium');
const page = await open(browser, file, { width: Number(width), height: Number(height) });
await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
for (const step of steps) {
	const target = await page.$(step.replace(/^@/, ''));
	if (step.startsWith('@'))
		await target.evaluate(element => element.scrollIntoView());
	else if (await target.evaluate(element => element.matches('details')))
		await target.evaluate(element => { element.open = true; });
	else
		await target.click();
}
// The time line paints in a frame of its own.
await new Promise(resolve => setTimeout(resolve, 300));
await page.screenshot({ path: out });
await browser.close();
