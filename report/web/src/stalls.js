// The stalls as a table that sorts and filters.
import { bar, byId, h } from './dom.js';
import { clock, count, duration, plural } from './format.js';

const PAGE = 100;

export class Stalls {
	constructor(model, state) {
		this.model = model;
		this.state = state;
		this.sort = { key: 'lag', down: true };
		this.shown = PAGE;
		this.keys = {
			start: i => model.start[i],
			lag: i => model.lag[i],
			cause: i => model.causes[model.cause[i]],
			what: i => model.findings[model.finding[i]]?.title ?? '',
			loop: i => model.loops[model.loop[i]],
			request: i => model.request(i),
		};
		this.hasLoops = new Set(model.loop).size > 1;
		this.hasRequests = model.lag.some((_, i) => model.request(i));
		this.build();
	}

	build() {
		const columns = [['start', 'at'], ['lag', 'lag'], [null, 'state'], ['cause', 'cause'], ['what', 'what and where']];
		if (this.hasLoops)
			columns.push(['loop', 'loop']);
		if (this.hasRequests)
			columns.push(['request', 'request']);
		this.filter = h('input', {
			type: 'search', placeholder: 'filter by words', 'aria-label': 'filter the stalls by words',
			oninput: () => { this.shown = PAGE; this.update(); },
		});
		this.count = h('span', { class: 'found', role: 'status' });
		this.heads = columns.map(([key, label]) => this.head(key, label));
		this.body = h('tbody');
		this.more = h('button', { type: 'button', onclick: () => { this.shown += 4 * PAGE; this.update(); } });
		byId('stalls').append(
			h('div', { class: 'row' }, byId('stalls-title'), this.filter, this.count),
			h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'table of stalls' },
				h('table', {}, h('thead', {}, h('tr', {}, this.heads)), this.body)),
			this.more);
	}

	head(key, label) {
		if (!key)
			return h('th', { scope: 'col' }, label);
		return h('th', { scope: 'col', 'data-key': key, class: key === 'start' || key === 'lag' ? 'num' : null },
			h('button', { type: 'button', onclick: () => this.sortBy(key) }, label));
	}

	sortBy(key) {
		const numeric = key === 'lag' || key === 'start';
		this.sort = { key, down: this.sort.key === key ? !this.sort.down : numeric && key === 'lag' };
		this.update();
	}

	// All stalls in the order asked for; kept, because sorting is what takes time.
	sorted() {
		const { key, down } = this.sort;
		if (this.order?.key !== key) {
			const values = Array.from({ length: this.model.stalls }, (_, i) => this.keys[key](i));
			const compare = typeof values[0] === 'number' ? (a, b) => values[a] - values[b]
				: (a, b) => values[a] < values[b] ? -1 : values[a] > values[b] ? 1 : 0;
			this.order = { key, up: this.model.order.slice().sort((a, b) => compare(a, b) || a - b) };
		}
		return down ? this.order.up.toReversed() : this.order.up;
	}

	matches() {
		const mask = this.model.mask(this.state.filter, 'stall'), words = this.filter.value.toLowerCase();
		const { keys, model } = this;
		const has = i => [keys.cause(i), keys.what(i), model.culprit(i), model.request(i)]
			.some(text => text.toLowerCase().includes(words));
		return this.sorted().filter(i => mask[i] && (!words || has(i)));
	}

	update() {
		const { key, down } = this.sort, found = this.matches();
		for (const th of this.heads)
			if (th.dataset.key)
				th.setAttribute('aria-sort', th.dataset.key !== key ? 'none' : down ? 'descending' : 'ascending');
		this.count.textContent = plural(found.length, 'stall', 'stalls');
		this.more.hidden = found.length <= this.shown;
		this.more.textContent = `${count(Math.min(4 * PAGE, found.length - this.shown))} more of ${count(found.length)}`;
		this.body.replaceChildren(...this.page(found).map(i => this.row(i)));
	}

	// The stall that is selected elsewhere must be among those shown.
	page(found) {
		const chosen = this.state.filter.stall, page = Array.from(found.slice(0, this.shown));
		return chosen != null && found.includes(chosen) && !page.includes(chosen) ? [chosen, ...page] : page;
	}

	row(i) {
		const { model, state } = this, lag = model.lag[i], chosen = state.filter.stall === i;
		const toggle = () => state.set({ stall: state.filter.stall === i ? null : i });
		const title = model.findings[model.finding[i]]?.title;
		return h('tr', { class: `${model.severities[model.severity[i]]}${chosen ? ' chosen' : ''}`, onclick: toggle },
			h('td', { class: 'num' }, h('button', {
				type: 'button', 'aria-pressed': chosen, 'data-stall': i,
				onclick: event => { event.stopPropagation(); toggle(); },
			}, clock(model.start[i]))),
			h('td', { class: 'num' }, duration(lag), model.isOpen[i] ? ' so far' : ''),
			h('td', { class: 'split', title: this.split(i) },
				bar([model.running[i], model.runnable[i], model.blocked[i], model.stopped[i]].map(ns => lag ? ns / lag : 0)),
				h('span', { class: 'hidden' }, this.split(i))),
			h('td', {}, model.causes[model.cause[i]]),
			h('td', { class: 'what' }, h('b', {}, title), ' ', h('span', { class: 'place' }, model.culprit(i)),
				model.isServing[i] ? null : h('span', { class: 'tag' }, 'while starting')),
			this.hasLoops && h('td', { class: 'loop' }, model.loops[model.loop[i]]),
			this.hasRequests && h('td', { class: 'request' }, model.request(i)));
	}

	split(i) {
		const { model } = this;
		return [['on CPU', model.running[i]], ['waiting for a CPU', model.runnable[i]],
			['blocked', model.blocked[i]], ['stopped', model.stopped[i]]]
			.filter(([, ns]) => ns > 0).map(([name, ns]) => `${name} ${duration(ns)}`).join(', ');
	}
}
