// Starts a browser and opens files in it, and watches what a report must never do.
import { resolve } from 'node:path';
import puppeteer from 'puppeteer-core';

const KINDS = {
	chromium: { browser: 'chrome', executablePath: '/usr/bin/chromium' },
	firefox: { browser: 'firefox', executablePath: '/usr/bin/firefox-esr' },
};

const QUIET = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
	'--disable-component-update', '--disable-sync'];

export function start(name) {
	return puppeteer.launch({
		...KINDS[name], headless: true, args: name === 'chromium' ? QUIET : [], timeout: 60000,
	});
}

// Opens a file; page.problems() are the requests, errors and violations so far.
export async function open(browser, name, { width = 1280, height = 1000, before, script = true, bypass = false,
	patient = true } = {}) {
	const page = await browser.newPage(), seen = [], file = resolve(name);
	await page.setViewport({ width, height });
	page.on('console', message => ['error', 'warn'].includes(message.type()) && seen.push(`console: ${message.text()}`));
	page.on('pageerror', error => seen.push(`error: ${error.message}`));
	// Firefox loads the font of its own list markers from a data: URL.
	page.on('request', request => request.url() !== `file://${file}` && !request.url().startsWith('data:') &&
		seen.push(`request: ${request.url()}`));
	if (!script)
		await page.setJavaScriptEnabled(false);
	if (bypass)
		await page.setBypassCSP(true);
	await page.evaluateOnNewDocument(() => {
		window.violations = [];
		document.addEventListener('securitypolicyviolation',
			event => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
	});
	if (before)
		await page.evaluateOnNewDocument(before);
	await page.goto(`file://${file}`);
	if (script && patient)
		await page.waitForFunction(() => document.documentElement.dataset.ready, { timeout: 60000 });
	if (!patient)
		await new Promise(resolve => setTimeout(resolve, 1000));
	page.problems = async () => [...seen, ...script ? await page.evaluate(() => window.violations) : []];
	return page;
}
