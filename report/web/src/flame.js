// Where the time went: a call tree of what is selected.  The library draws a frame in tens of
// microseconds, so it is given only what is wide enough to be seen under the current root; the tree
// is made anew from the columns at each zoom.
import flamegraph from 'd3-flame-graph';
import { select } from 'd3-selection';
import { announce, byId, h } from './dom.js';
import { duration, percent } from './format.js';

const ROW = 20;
const NARROWEST = 4; // pixels
const MOST_FRAMES = 1400;
const MOST_ROWS = 48; // below the current root
// A frame that all time goes through says nothing.
const TRIVIAL = 0.995;

export class Flame {
	constructor(model, state) {
		this.model = model;
		this.state = state;
		this.hidden = this.noise();
		this.query = '';
		this.zoomed = null; // the view that fills the width, null: the whole tree
		this.outer = false; // show the frames that everything goes through
		this.inverted = true;
		this.match = null;
		this.build();
	}

	build() {
		this.detail = h('p', { class: 'detail', id: 'flame-detail' });
		this.found = h('span', { class: 'found', role: 'status' });
		this.box = h('div', { class: 'chart' });
		this.search = h('input', {
			type: 'search', placeholder: 'search functions and files', 'aria-label': 'search functions and files',
			oninput: () => this.setQuery(this.search.value),
		});
		const flip = h('button', {
			type: 'button', 'aria-pressed': 'false', onclick: () => {
				this.inverted = !this.inverted;
				flip.setAttribute('aria-pressed', !this.inverted);
				this.draw();
			},
		}, 'roots below');
		this.reset = h('button', { type: 'button', onclick: () => this.leaveAll() }, 'whole tree');
		byId('flame').append(
			h('div', { class: 'row' }, byId('flame-title'), this.search, this.found, this.reset, flip),
			this.legend(), this.detail, this.box,
			h('p', { class: 'hint' }, 'Click a frame to see what it called. Keys: arrows move, Enter zooms in, ',
				'Backspace out, / searches.'));
		this.chart = flamegraph().cellHeight(ROW).transitionDuration(0).resetHeightOnZoom(true)
			.label(d => this.title(d.data.view));
		// The library's own zoom would stretch the pruned tree.
		this.box.addEventListener('click', event => {
			event.stopPropagation();
			const view = this.viewOf(event.target);
			if (view)
				this.choose(view, this.isTrunk(event.target));
		}, true);
		this.box.addEventListener('keydown', event => this.onKey(event));
		this.box.addEventListener('focusin', event => this.describe(this.viewOf(event.target)));
		this.box.addEventListener('mouseover', event => this.describe(this.viewOf(event.target)));
		// Asking the element itself would make the browser lay out all that has changed before.
		new ResizeObserver(([{ contentRect }]) => this.resize(contentRect.width)).observe(this.box);
	}

	// Where there is code of one's own, the inside of the interpreter only hides it.
	noise() {
		const { origins, frame } = this.model, own = origins.indexOf('own');
		return new Set(frame.origin.includes(own) ? [origins.indexOf('vm')] : []);
	}

	// The colors, which are switches as well.
	legend() {
		const { origins, originLabels, frame } = this.model, used = new Set(frame.origin);
		return h('div', { class: 'legend', role: 'group', 'aria-label': 'kinds of code' },
			origins.map((id, i) => used.has(i) && h('button', {
				type: 'button', 'aria-pressed': !this.hidden.has(i), class: id, onclick: event => {
					const show = this.hidden.has(i);
					event.currentTarget.setAttribute('aria-pressed', show);
					this.hidden[show ? 'delete' : 'add'](i);
					this.refresh();
				},
			}, originLabels[i])));
	}

	viewOf(target) {
		const g = target.closest?.('g.frame');
		return g ? select(g).datum().data.view : null;
	}

	isTrunk(target) {
		const g = target.closest?.('g.frame');
		return Boolean(g && select(g).datum().data.trunk);
	}

	setQuery(query) {
		this.query = query;
		this.search.value = query;
		this.refresh();
	}

	update() {
		this.model.weigh(this.model.mask(this.state.filter));
		this.zoomed = null;
		this.refresh();
	}

	// What is shown of the selected time has changed.
	refresh() {
		const { model } = this;
		this.root = model.root();
		if (this.zoomed)
			this.zoomed = this.find(this.path(this.zoomed));
		this.match = null;
		this.found.textContent = '';
		if (this.query) {
			const { match, time } = model.search(this.query, this.hidden);
			this.match = match;
			this.found.textContent = `${duration(time)}, ${percent(time, this.root.total)}`;
		}
		this.draw();
	}

	// Views are made anew whenever what is selected or hidden changes.
	children(view) {
		return view.children ??= this.model.children(view, this.hidden);
	}

	path(view) {
		return view.parent ? [...this.path(view.parent), view.frame] : [];
	}

	// The view at a path of frames in the tree as it is now, as far as it goes.
	find(path) {
		let view = this.root;
		for (const frame of path) {
			const next = this.children(view).find(child => child.frame === frame);
			if (!next)
				break;
			view = next;
		}
		return view.parent ? view : null;
	}

	// The tree for the library: the current root's ancestors, each as wide as it, and what is
	// below it as far as it can be seen.
	tree(width) {
		const top = this.zoomed ?? this.root;
		for (let narrowest = NARROWEST; ; narrowest *= 2) {
			const least = top.total * narrowest / width;
			this.frames = 0;
			const tree = this.below(top, least, MOST_ROWS);
			if (this.frames <= MOST_FRAMES)
				return this.above(top, tree);
		}
	}

	below(view, least, rows) {
		const data = { name: this.name(view), value: view.total, view, children: [] };
		this.frames++;
		if (rows === 0 || this.frames > MOST_FRAMES)
			return data;
		for (const child of this.children(view)) {
			if (child.total < least)
				break;
			data.children.push(this.below(child, least, rows - 1));
		}
		return data;
	}

	above(top, tree) {
		for (let view = top.parent; view; view = view.parent)
			tree = { name: this.name(view), value: top.total, view, outer: true, children: [tree] };
		return this.outer || this.zoomed ? tree : this.withoutTrunk(tree);
	}

	// Frames from the root that all goes through which has a stack say nothing: one takes their place.
	withoutTrunk(tree) {
		const { frame, origins } = this.model;
		const hasStack = data => origins[frame.origin[data.view.frame]] !== 'none';
		const first = tree.children.find(hasStack), rest = tree.children.filter(data => data !== first);
		let last = first, skipped = 0;
		if (!first || rest.some(data => hasStack(data) && data.value > (1 - TRIVIAL) * first.value))
			return tree;
		while (last.children.length && last.children[0].value >= TRIVIAL * first.value) {
			last = last.children[0];
			skipped++;
		}
		if (skipped < 3)
			return tree;
		const name = `${skipped} callers that all of it goes through, from ${frame.name[first.view.frame]}`;
		const trunk = { name, value: first.value, view: first.view, trunk: true, outer: true, children: [last] };
		return { ...tree, children: [trunk, ...rest].sort((a, b) => b.value - a.value) };
	}

	name(view) {
		if (view.frame < 0)
			return `all that is selected, ${duration(view.total)}`;
		const place = this.model.frame.line[view.frame] ? ` ${this.model.place(view.frame)}` : '';
		return this.model.frame.name[view.frame] + place;
	}

	// A frame in words: for the tooltip, the line above the graph and screen readers.
	title(view) {
		const { model } = this;
		if (view.frame < 0)
			return this.name(view);
		if (view.title)
			return view.title;
		const self = view.total - this.children(view).reduce((sum, c) => sum + c.total, 0);
		return view.title = [
			this.name(view), model.frame.file[view.frame] || model.frame.module[view.frame],
			`${duration(view.total)}, ${percent(view.total, this.root.total)}`,
			self > 0 && `itself ${duration(self)}`, model.originLabels[model.frame.origin[view.frame]],
		].filter(Boolean).join(' · ');
	}

	describe(view) {
		if (view)
			this.detail.textContent = this.title(view);
	}

	resize(width) {
		if (!width || width === this.width)
			return;
		this.width = width;
		this.draw();
	}

	draw() {
		const width = this.width ??= Math.max(this.box.clientWidth, 200);
		this.reset.hidden = !this.zoomed && !this.outer;
		this.detail.textContent = this.root.total
			? `${this.zoomed ? this.title(this.zoomed) : this.name(this.root)}` : 'Nothing is selected.';
		this.chart.width(width).inverted(this.inverted);
		const data = this.tree(width);
		if (this.box.firstChild)
			this.chart.update(data);
		else
			select(this.box).datum(data).call(this.chart);
		this.dress();
	}

	// What the library leaves out: classes for the colors, words and keys for the frames.
	dress() {
		const { origins, frame } = this.model, chart = select(this.box);
		let deepest = 0;
		chart.selectAll('g.frame').each((d, i, all) => {
			const { view, outer, trunk } = d.data, g = all[i];
			deepest = Math.max(deepest, d.depth);
			g.classList.add(view.frame < 0 || trunk ? 'root' : origins[frame.origin[view.frame]]);
			g.classList.toggle('outer', Boolean(outer));
			g.classList.toggle('match', Boolean(this.match && view.frame >= 0 && this.match[view.frame]));
			g.setAttribute('role', 'treeitem');
			g.setAttribute('aria-level', d.depth + 1);
			g.setAttribute('aria-label', trunk ? d.data.name : this.title(view));
			g.setAttribute('tabindex', d.depth ? -1 : 0);
		});
		chart.select('svg').attr('role', 'tree').attr('aria-label', 'call tree').attr('aria-describedby', null)
			.classed('searching', Boolean(this.match)).select('text.title').remove();
		const svg = this.box.firstChild, rows = deepest + 1;
		svg.setAttribute('height', rows * ROW);
		// Roots below: the library keeps two rows free above the leaves.
		svg.setAttribute('viewBox', `0 ${this.inverted ? 0 : 2 * ROW} ${this.width} ${rows * ROW}`);
	}

	choose(view, isTrunk) {
		if (isTrunk)
			this.outer = true;
		this.zoom(isTrunk || !view.parent ? null : view);
	}

	zoom(view) {
		this.zoomed = view;
		this.draw();
		announce(this.detail.textContent);
		this.state.changed('zoom');
	}

	leaveAll() {
		this.outer = false;
		this.zoom(null);
	}

	focus(view) {
		const g = select(this.box).selectAll('g.frame').filter(d => d.data.view === view).node();
		if (!g)
			return;
		this.box.querySelector('g[tabindex="0"]')?.setAttribute('tabindex', -1);
		g.setAttribute('tabindex', 0);
		g.focus();
	}

	onKey(event) {
		const g = event.target.closest('g.frame');
		if (!g || event.ctrlKey || event.metaKey || event.altKey)
			return;
		const d = select(g).datum(), siblings = d.parent?.children ?? [d], at = siblings.indexOf(d);
		const inward = this.inverted ? 'ArrowDown' : 'ArrowUp', outward = this.inverted ? 'ArrowUp' : 'ArrowDown';
		const keys = {
			[inward]: () => d.children && this.focus(d.children[0].data.view),
			[outward]: () => d.parent && this.focus(d.parent.data.view),
			ArrowRight: () => siblings[at + 1] && this.focus(siblings[at + 1].data.view),
			ArrowLeft: () => siblings[at - 1] && this.focus(siblings[at - 1].data.view),
			Home: () => this.focus(this.root),
			Enter: () => this.enter(d.data),
			' ': () => this.enter(d.data),
			Backspace: () => this.leave(),
			Escape: () => this.leave(),
		};
		if (!keys[event.key])
			return;
		event.preventDefault();
		event.stopPropagation();
		keys[event.key]();
	}

	enter({ view, trunk }) {
		this.choose(view, trunk);
		this.focus(view);
	}

	leave() {
		const from = this.zoomed;
		if (from)
			this.zoom(from.parent.parent ? from.parent : null);
		else
			this.leaveAll();
		this.focus(from ?? this.root);
	}
}
