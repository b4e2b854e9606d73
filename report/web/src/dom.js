// Elements are made with text nodes only: what the target said never becomes markup.

const SVG = 'http://www.w3.org/2000/svg';

function fill(element, attributes, children) {
	for (const [name, value] of Object.entries(attributes)) {
		if (name.startsWith('on'))
			element.addEventListener(name.slice(2), value);
		else if (name.startsWith('aria-'))
			element.setAttribute(name, value);
		else if (value === true)
			element.setAttribute(name, '');
		else if (value !== false && value != null)
			element.setAttribute(name, value);
	}
	element.append(...children.flat().filter(child => child != null && child !== false));
	return element;
}

export function h(tag, attributes = {}, ...children) {
	return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
	return fill(document.createElementNS(SVG, tag), attributes, children);
}

export const byId = id => document.getElementById(id);

// What a custom property of the style sheet is in the theme in use, for canvases.
export function ink(name) {
	const probe = h('span');
	probe.style.color = `var(--${name})`;
	document.body.append(probe);
	const color = getComputedStyle(probe).color;
	probe.remove();
	return color;
}

// A bar of shares of 1 beside each other, like html_bar() of the C side.
export function bar(shares) {
	let x = 0;
	const parts = shares.map((share, i) => {
		const rect = svg('rect', { class: `part${i}`, x: 100 * x, width: 100 * share, height: 1 });
		x += share;
		return rect;
	});
	return svg('svg', { class: 'bar', viewBox: '0 0 100 1', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
		parts);
}

// Says something to those who cannot see the change.
export function announce(text) {
	byId('live').textContent = text;
}
