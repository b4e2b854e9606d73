// Drives the HTML report as its readers do: `node page.mjs chromium|firefox FOLDER`, where FOLDER has
// the pages that tests/tools/pages.c makes.
import { readFileSync } from 'node:fs';
import { open, start } from './browser.mjs';
import { check, finish, same } from './checks.mjs';

const [name, folder] = process.argv.slice(2);
const browser = await start(name);

const text = (page, selector) => page.$eval(selector, e => e.textContent.trim());
const frames = page => page.$$eval('g.frame', all => all.map(g => g.getAttribute('aria-label')));
const rows = page => page.$$eval('#stalls tbody tr', all => all.length);
const selected = page => text(page, '#selection .says');
const focused = page => page.evaluate(() => document.activeElement.getAttribute('aria-label'));

async function paints() {
	const page = await open(browser, `${folder}/plain.html`);
	check((await text(page, 'h1')).startsWith('35 stalls of 20 ms or more'), 'the verdict is there');
	check(await page.$eval('.plot canvas', c => {
		const { data } = c.getContext('2d').getImageData(0, 0, c.width, c.height);
		return data.some(v => v);
	}), 'the time line is painted');
	check((await frames(page)).length > 10, 'the flame graph has frames');
	same(await rows(page), 36, 'every stall is in the table');
	same(await page.$$eval('[data-finding]', all => all.length), 7, 'findings');
	const inView = await page.$eval('.headline', e => e.getBoundingClientRect().bottom < 800);
	check(inView && (await text(page, '.headline')).includes('server.js:33 login'), 'the answer is in the first 800 px');
	same(await page.problems(), [], 'requests, violations and errors');
	await page.close();
}

async function filters() {
	const page = await open(browser, `${folder}/plain.html`);
	const all = await frames(page);
	check(all.some(f => f.startsWith('validate')) && all.some(f => f.startsWith('login')), 'all findings are in the graph');
	await page.click('[data-finding="1"] .only');
	same(await selected(page), '5 stalls, 1.2 s', 'a finding selects its stalls');
	const some = await frames(page);
	check(some.some(f => f.startsWith('validate email.js:12 · /app/lib/email.js')), 'the selected finding is in the graph');
	check(!some.some(f => f.startsWith('login')), 'the others are not');
	check(some[0].includes('1.2 s'), 'the root is the selected time');
	same(await rows(page), 5, 'rows of the finding');
	await page.click('#stalls tbody tr:first-child');
	same(await selected(page), '1 stall, 360 ms', 'a row selects its stall');
	same(await rows(page), 5, 'the table still shows its neighbours');
	await page.keyboard.press('Escape');
	same(await selected(page), '36 stalls, 4 s', 'Escape shows all');
	await page.select('#selection select[aria-label=cause]', '4');
	same(await selected(page), '3 stalls, 120 ms', 'a cause selects its stalls');
	await page.click('#selection > button');
	await page.select('#selection select[aria-label=phase]', '0');
	same(await selected(page), '1 stall, 300 ms', 'a phase selects its stalls');
	await page.select('#selection select[aria-label=loop]', '1');
	same(await selected(page), '0 stalls, 0 us', 'conditions add up');
	check((await text(page, '#flame-detail')).includes('Nothing'), 'nothing selected, nothing drawn');
	await page.click('#selection > button');
	const processes = await page.$$eval('#selection select[aria-label=process] option', all => all.map(o => [o.value, o.text]));
	same(processes.map(([, label]) => label), ['all processes', '4242 node server.js --port 8080', '4250 node worker.js'], 'processes');
	await page.select('#selection select[aria-label=process]', processes[2][0]);
	same(await selected(page), '1 stall, 33 ms', 'a process selects its stalls');
	check((await text(page, '.processes tbody')).includes('node worker.js'), 'the processes are in a table');
	await page.close();
}

async function kinds() {
	const page = await open(browser, `${folder}/plain.html`);
	check(!(await frames(page)).some(f => f.startsWith('PKCS5')), 'the inside of the runtime is hidden at first');
	await page.click('.legend .vm');
	check((await frames(page)).some(f => f.startsWith('PKCS5')), 'a switch shows it');
	await page.click('.legend .package');
	check(!(await frames(page)).some(f => f.startsWith('handle')), 'a switch hides packages');
	check((await frames(page)).some(f => f.startsWith('login')), 'what they call stays');
	await page.click('.paths summary');
	await page.waitForSelector('.paths tbody tr');
	check((await text(page, '.paths tbody')).includes('/app/server.js:33'), 'the table says the same');
	await page.close();
}

async function keyboard() {
	const page = await open(browser, `${folder}/plain.html`);
	await page.keyboard.press('/');
	await page.keyboard.type('LOGIN');
	same(await text(page, '#flame .found'), '1.8 s, 45 %', 'search counts the time under its matches');
	same(await page.$$eval('g.match', all => all.length), 1, 'and marks them');
	await page.$eval('g.frame[tabindex="0"]', g => g.focus());
	const root = await focused(page);
	await page.keyboard.press('ArrowDown');
	const child = await focused(page);
	check(child !== root, 'an arrow moves to the call');
	await page.keyboard.press('ArrowDown');
	await page.keyboard.press('ArrowDown');
	const deep = await focused(page);
	await page.keyboard.press('Enter');
	same(await focused(page), deep, 'the frame that was zoomed to keeps the focus');
	check((await text(page, '#flame-detail')) === deep, 'and is what the graph shows');
	const zoomed = await page.$$eval('g.frame', (all, label) => all.map(g => [g.getAttribute('aria-label'),
		g.querySelector('rect').width.baseVal.value]).find(([l]) => l === label)[1], deep);
	check(zoomed > 1000, 'at full width');
	await page.keyboard.press('Backspace');
	await page.keyboard.press('Backspace');
	await page.keyboard.press('Home');
	check((await focused(page)).startsWith('all that is selected'), 'Home is the root');
	await page.focus('.plot');
	await page.keyboard.press('ArrowRight');
	await page.keyboard.press('ArrowRight');
	check((await text(page, '#timeline .detail')).startsWith('1.000 s · stall 65 ms'), 'an arrow moves to the next stall');
	await page.keyboard.press('Enter');
	same(await selected(page), '1 stall, 65 ms', 'Enter selects it');
	await page.keyboard.press('Escape');
	await page.keyboard.press('+');
	await page.keyboard.press('+');
	check((await text(page, '#selection .chips')).includes('–'), '+ selects a range');
	const near = await selected(page);
	check(near !== '36 stalls, 4 s', `and so fewer stalls: ${near}`);
	await page.keyboard.press('0');
	same(await selected(page), '36 stalls, 4 s', '0 shows all');
	await page.keyboard.press('?');
	check(await page.$eval('dialog', d => d.open), '? shows the keys');
	await page.keyboard.press('Escape');
	same(await page.problems(), [], 'requests, violations and errors');
	await page.close();
}

async function mouse() {
	const page = await open(browser, `${folder}/plain.html`);
	const box = await (await page.$('.plot .u-over')).boundingBox();
	await page.mouse.move(box.x + box.width * 0.4, box.y + 50);
	await page.mouse.down();
	await page.mouse.move(box.x + box.width * 0.6, box.y + 60, { steps: 4 });
	await page.mouse.up();
	const range = await text(page, '#selection .chips');
	check(/^\d+\.\d+ s – 1\d\.\d+ s/.test(range), `dragging selects a range: ${range}`);
	await page.mouse.click(box.x + 300, box.y + 100, { count: 2 });
	same(await selected(page), '36 stalls, 4 s', 'a double click shows all');
	await page.mouse.click(box.x + box.width * 0.99, box.y + 100);
	same(await selected(page), '1 stall, 300 ms', 'a click selects the stall under it');
	await page.click('#stalls th[data-key=start] button');
	same(await text(page, '#stalls tbody tr:first-child button'), '0.100 s', 'a head sorts');
	await page.click('#stalls th[data-key=start] button');
	same(await text(page, '#stalls tbody tr:first-child button'), '19.700 s', 'and sorts backwards');
	await page.type('#stalls input', 'email');
	same(await rows(page), 5, 'words filter the table');
	await page.close();
}

async function narrow() {
	const page = await open(browser, `${folder}/plain.html`, { width: 390, height: 844 });
	check(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'no sideways scrolling on a phone');
	await page.close();
}

async function others() {
	for (const kind of ['empty', 'unseen']) {
		const page = await open(browser, `${folder}/${kind}.html`);
		same(await page.problems(), [], `problems of ${kind}`);
		check(!(await page.$eval('#flame', e => !e.hidden)), `${kind}: no empty graph`);
		check((await text(page, 'main')).includes('Nothing blocked') === (kind === 'empty'), `${kind}: what blocked`);
		same(await page.$eval('h1', e => e.className), kind === 'empty' ? 'pass' : 'inconclusive', `mood of ${kind}`);
		await page.close();
	}
}

// Opens and touches everything that shows text.
async function touchAll(page) {
	for (const details of await page.$$('details'))
		await details.evaluate(d => { d.open = true; });
	await page.click('[data-finding="3"] .only');
	await page.keyboard.press('Escape');
	await page.type('#flame input', 'script');
	await page.hover('g.frame:nth-of-type(4) rect');
	await page.click('#stalls tbody tr:nth-child(2)');
	await page.focus('.plot');
	await page.keyboard.press('ArrowRight');
	await page.keyboard.press('Escape');
}

// What the page has besides its own elements, and whether anything ran.
const intrusions = page => page.evaluate(() => {
	const counts = { script: 2, style: 1, meta: 5, form: 1, 'a[href]': 1, base: 0, link: 0, img: 0, iframe: 0, object: 0,
		embed: 0, video: 0, template: 0, math: 0, noscript: 1, 'svg script': 0, animate: 0, textarea: 0,
		'body body': 0, 'details details details': 0, '[onload], [onerror], [onfocus], [ontoggle], [onbegin]': 0,
		'input:not([type=search])': 0, 'main div[style]': -1 };
	const found = window.executed ? ['something ran'] : [];
	for (const [selector, n] of Object.entries(counts))
		if (n >= 0 && document.querySelectorAll(selector).length !== n)
			found.push(`${document.querySelectorAll(selector).length} ${selector}`);
	if (getComputedStyle(document.body).display === 'none')
		found.push('the page is hidden');
	return found;
});

const INVISIBLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;

async function hostile() {
	const page = await open(browser, `${folder}/hostile.html`);
	await touchAll(page);
	same(await intrusions(page), [], 'what hostile names made');
	same((await page.problems()).filter(p => !p.startsWith('console: ')), [], 'hostile: requests, violations and errors');
	const shown = await page.evaluate(() => document.body.innerText);
	check(!INVISIBLE.test(shown), 'nothing reorders or hides text');
	check(shown.includes('\\u{202e}gnirts_live\\u{202c}'), 'what would is shown escaped');
	check(shown.includes('<img src=x onerror=window.executed=1>'), 'markup is shown as text');
	check(!INVISIBLE.test(await page.title()), 'nor the title');
	const spare = await page.evaluate(() => document.documentElement.scrollHeight - scrollY -
		document.querySelector('main').getBoundingClientRect().bottom);
	check(spare < 200, `the page ends where its content ends: ${spare} px`);
	await page.close();
}

// The same checks with escaping off must find something: first in the markup, then in the script.
async function hostileUnescaped() {
	const page = await open(browser, `${folder}/unescaped.html`, { bypass: true, patient: false });
	check((await intrusions(page)).includes('something ran'), 'without escaping in C, things run');
	await page.close();
	const other = await open(browser, `${folder}/hostile.html`, {
		bypass: true, patient: false, before: () => {
			Element.prototype.append = function (...children) {
				for (const child of children)
					typeof child === 'string' ? this.insertAdjacentHTML('beforeend', child) : this.appendChild(child);
			};
		},
	});
	await touchAll(other).catch(() => {});
	check((await intrusions(other)).length > 0, 'without text nodes in the script, elements appear');
	await other.close();
}

async function withoutScript() {
	const page = await open(browser, `${folder}/plain.html`, { script: false });
	const words = await page.evaluate(() => document.body.innerText);
	for (const part of ['35 stalls of 20 ms or more', 'Over budget', 'lag.p99<50ms', 'pbkdf2Sync 60000 iterations sha512',
		'server.js:33 login', 'email.js:12 validate', 'need scripts', 'Child processes were not followed.'])
		check(words.includes(part), `without scripts: no "${part}"`);
	same(await page.$$eval('[data-finding]', all => all.length), 7, 'findings without scripts');
	await page.close();
}

async function accessible() {
	const axe = readFileSync(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
	for (const scheme of ['light', 'dark']) {
		const page = await open(browser, `${folder}/plain.html`);
		await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
		await page.click('[data-finding="1"] .only');
		for (const details of await page.$$('details'))
			await details.evaluate(d => { d.open = true; });
		await page.evaluate(axe);
		const { violations, passes } = await page.evaluate(() => window.axe.run());
		const grave = violations.filter(v => ['moderate', 'serious', 'critical'].includes(v.impact));
		same(grave.map(v => `${v.impact} ${v.id} ${v.nodes.slice(0, 3).map(n => n.target)}`), [], `axe, ${scheme}`);
		check(passes.length > 20, 'axe looked at the page');
		await page.close();
	}
}

async function prints() {
	const page = await open(browser, `${folder}/plain.html`);
	check((await page.pdf()).length > 20000, 'it prints');
	same(await page.$$eval('.finding > details[open]', all => all.length), 1, 'and folds up again');
	await page.close();
}

const everywhere = [paints, filters, kinds, keyboard, mouse, narrow, others, hostile];
const chromiumOnly = [hostileUnescaped, withoutScript, accessible, prints];
for (const test of name === 'chromium' ? [...everywhere, ...chromiumOnly] : everywhere)
	await test().catch(error => check(false, `${test.name}: ${error.stack}`));
await browser.close();
finish();
