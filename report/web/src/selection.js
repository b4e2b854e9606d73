// What is selected, and the bar that says so and changes it.
import { byId, h } from './dom.js';
import { clock, duration, plural } from './format.js';

const NOTHING = { cause: null, phase: null, process: null, loop: null, finding: null, stall: null, range: null };

export class State {
	constructor() {
		this.filter = { ...NOTHING };
		this.listeners = [];
	}

	set(change) {
		this.filter = { ...this.filter, ...change };
		this.changed('filter');
	}

	clear() {
		this.set(NOTHING);
	}

	isEmpty() {
		return Object.values(this.filter).every(v => v === null);
	}

	changed(what) {
		this.listeners.forEach(listener => listener(what));
	}
}

export class SelectionBar {
	constructor(model, state) {
		this.model = model;
		this.state = state;
		this.says = h('span', { class: 'says', role: 'status' });
		this.chips = h('span', { class: 'chips' });
		this.clear = h('button', { type: 'button', onclick: () => state.clear() }, 'show all');
		this.selects = this.makeSelects();
		byId('selection').append(
			...this.selects.map(({ box }) => box), this.chips, this.says, this.clear);
	}

	// A list for each property in which the stalls differ.
	makeSelects() {
		const { model } = this, used = column => [...new Set(column)].sort((a, b) => a - b);
		const causes = used(model.cause).sort((a, b) => model.causes[a].localeCompare(model.causes[b]));
		return [
			this.select('cause', 'all causes', causes, v => model.causes[v]),
			this.select('phase', 'starting and serving', used(model.isServing), v => v ? 'serving' : 'while starting'),
			this.select('process', 'all processes', used(model.loop.map(loop => model.process[loop])),
				v => model.processes[model.process.indexOf(v)]),
			this.select('loop', 'all loops', used(model.loop), v => model.loops[v]),
		].filter(Boolean);
	}

	select(key, all, values, label) {
		if (values.length < 2)
			return null;
		const box = h('select', {
			'aria-label': key,
			onchange: () => this.state.set({ [key]: box.value === '' ? null : Number(box.value) }),
		}, h('option', { value: '' }, all), values.map(v => h('option', { value: v }, label(v))));
		return { key, box };
	}

	chip(key, text) {
		return h('button', {
			type: 'button', class: 'chip', 'aria-label': `${text}: no longer only this`,
			onclick: () => this.state.set({ [key]: null }),
		}, text, h('span', { 'aria-hidden': 'true' }, ' ✕'));
	}

	update() {
		const { model } = this, { finding, stall, range } = this.state.filter;
		const mask = model.mask(this.state.filter), chips = [];
		let stalls = 0, time = 0;
		for (let i = 0; i < mask.length; i++)
			if (mask[i]) {
				stalls++;
				time += model.lag[i];
			}
		if (finding !== null)
			chips.push(this.chip('finding', model.findings[finding].title));
		if (stall !== null)
			chips.push(this.chip('stall', `stall at ${clock(model.start[stall])}`));
		if (range)
			chips.push(this.chip('range', `${clock(range[0])} – ${clock(range[1])}`));
		for (const { key, box } of this.selects)
			box.value = this.state.filter[key] ?? '';
		this.chips.replaceChildren(...chips);
		this.says.textContent = `${plural(stalls, 'stall', 'stalls')}, ${duration(time)}`;
		this.clear.disabled = this.state.isEmpty();
	}
}
