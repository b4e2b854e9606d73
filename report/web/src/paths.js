// The flame graph as a table: for those who cannot see it, and for print.
import { byId, h } from './dom.js';
import { duration, percent } from './format.js';

const LEAST = 0.01; // of what is selected
const MOST = 150;

export class Paths {
	constructor(model, flame) {
		this.model = model;
		this.flame = flame;
		this.body = h('tbody');
		this.box = h('details', { class: 'paths', ontoggle: () => this.update() },
			h('summary', {}, 'Heaviest paths, as a table'),
			h('table', {},
				h('caption', {}, 'What took at least 1 % of the selected time, callers above what they call.'),
				h('thead', {}, h('tr', {},
					h('th', { scope: 'col', class: 'num' }, 'time'), h('th', { scope: 'col', class: 'num' }, 'share'),
					h('th', { scope: 'col', class: 'num' }, 'itself'), h('th', { scope: 'col' }, 'function'),
					h('th', { scope: 'col' }, 'where'))),
				this.body));
		byId('flame').append(this.box);
	}

	update() {
		if (!this.box.open)
			return;
		const rows = [];
		this.collect(this.flame.zoomed ?? this.flame.root, 0, rows);
		this.body.replaceChildren(...rows);
	}

	collect(view, depth, rows) {
		const { model, flame } = this, children = flame.children(view);
		let inner = depth;
		if (view.frame >= 0 && !this.isTrunk(view, children)) {
			const self = view.total - children.reduce((sum, child) => sum + child.total, 0);
			const name = h('td', {},
				h('span', { class: model.origins[model.frame.origin[view.frame]] }, model.frame.name[view.frame]));
			name.style.paddingLeft = `${Math.min(depth, 30) * 12}px`;
			rows.push(h('tr', {},
				h('td', { class: 'num' }, duration(view.total)),
				h('td', { class: 'num' }, percent(view.total, flame.root.total)),
				h('td', { class: 'num' }, self > 0 ? duration(self) : ''),
				name,
				h('td', { class: 'where' }, model.wholePlace(view.frame))));
			inner++;
		}
		for (const child of children) {
			if (child.total < LEAST * flame.root.total || rows.length >= MOST)
				break;
			this.collect(child, inner, rows);
		}
	}

	// What only passes the time on to one other is left out.
	isTrunk(view, children) {
		return children.length > 0 && children[0].total >= 0.995 * view.total &&
			this.model.origins[this.model.frame.origin[view.frame]] !== 'own';
	}
}
