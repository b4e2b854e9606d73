// Theme and help.
import { byId, h } from './dom.js';

const THEMES = [['auto', 'light dark'], ['light', 'light'], ['dark', 'dark']];

const KEYS = [
	['/', 'search the flame graph'],
	['Esc', 'show all stalls again'],
	['← →', 'time line: next stall; flame graph: next frame'],
	['+ − 0', 'time line: zoom in, out, show all'],
	['↑ ↓', 'flame graph: caller, call'],
	['Enter', 'select the stall, zoom to the frame'],
	['Backspace', 'flame graph: zoom out'],
	['?', 'this list'],
];

export function addTools(state, redraw) {
	let theme = 0;
	const themeButton = h('button', {
		type: 'button', onclick: () => {
			theme = (theme + 1) % THEMES.length;
			document.documentElement.style.colorScheme = THEMES[theme][1];
			themeButton.textContent = `theme: ${THEMES[theme][0]}`;
			redraw();
		},
	}, 'theme: auto');
	const help = h('dialog', { 'aria-labelledby': 'help-title' },
		h('h2', { id: 'help-title' }, 'Keys'),
		h('dl', { class: 'keys' }, KEYS.map(([key, does]) => h('div', {}, h('dt', {}, h('kbd', {}, key)), h('dd', {}, does)))),
		h('form', { method: 'dialog' }, h('button', {}, 'close')));
	byId('tools').append(themeButton, h('button', { type: 'button', onclick: () => help.showModal() }, 'keys'));
	byId('tools').hidden = false;
	document.body.append(help);
	matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
	addEventListener('keydown', event => {
		const typing = event.target.closest?.('input, select, textarea');
		if (event.key === 'Escape' && typing?.type === 'search' && typing.value)
			return;
		if (event.ctrlKey || event.metaKey || event.altKey || help.open || (typing && event.key !== 'Escape'))
			return;
		if (event.key === '/') {
			event.preventDefault();
			byId('flame').querySelector('input').focus();
		} else if (event.key === '?') {
			help.showModal();
		} else if (event.key === 'Escape') {
			state.clear();
		}
	});
	printWhole(redraw);
}

// On paper nothing can be opened, and paper is light.
function printWhole(redraw) {
	let closed = [], scheme = '';
	addEventListener('beforeprint', () => {
		scheme = document.documentElement.style.colorScheme;
		document.documentElement.style.colorScheme = 'light';
		closed = [...document.querySelectorAll('.finding > details:not([open]), .paths:not([open])')];
		closed.forEach(details => { details.open = true; });
		redraw();
	});
	addEventListener('afterprint', () => {
		document.documentElement.style.colorScheme = scheme;
		closed.forEach(details => { details.open = false; });
		redraw();
	});
}
