// When: each stall as a bar at its start, as wide as it lasted and as high as its lag.  Where many
// stalls share a pixel the highest is drawn, so the cost is that of the width, not of the stalls.
import uPlot from 'uplot';
import { announce, byId, h, ink } from './dom.js';
import { clock, duration, minutes } from './format.js';

const HEIGHT = 210;
// The limits that people alert on, as the severities of the findings.
// Where ticks may be, in s: 1, 2, 5 of each decade, then what divides minutes and hours.
const TICKS = [1e-4, 1e-3, 1e-2, 0.1, 1].flatMap(unit => [1, 2, 5].map(n => n * unit))
	.concat(10, 15, 30, [1, 2, 5, 10, 15, 30].map(n => n * 60), [1, 2, 3, 6, 12].map(n => n * 3600),
		[1, 2, 5, 10, 20, 50, 100].map(n => n * 86400));
const LIMITS = [[20e6, 'notice'], [50e6, 'warning'], [100e6, 'incident']];

export class Timeline {
	constructor(model, state) {
		this.model = model;
		this.state = state;
		this.log = this.isSkewed();
		this.box = h('div', {
			class: 'plot', tabindex: 0, role: 'application', 'aria-label': 'time line of the stalls',
			'aria-describedby': 'timeline-keys',
		});
		this.detail = h('p', { class: 'detail' });
		this.scaleButton = h('button', {
			type: 'button', 'aria-pressed': this.log, onclick: () => this.toggleLog(),
		}, 'log scale');
		byId('timeline').append(
			h('div', { class: 'row' }, byId('timeline-title'), this.detail, this.scaleButton), this.box,
			h('p', { id: 'timeline-keys', class: 'hint' },
				'Drag to zoom, click a bar to see that stall. Keys: ← → next stall, Enter selects it, ',
				'+ − zoom, 0 shows all.'));
		this.box.addEventListener('keydown', event => this.onKey(event));
		new ResizeObserver(([{ contentRect }]) => this.resize(contentRect.width)).observe(this.box);
		this.cursor = -1; // position in model.order
	}

	// One stall far above the rest would flatten them.
	isSkewed() {
		const lags = Float64Array.from(this.model.lag).sort();
		return lags.length > 0 && lags[lags.length - 1] > 8 * lags[lags.length >> 1];
	}

	toggleLog() {
		this.log = !this.log;
		this.scaleButton.setAttribute('aria-pressed', this.log);
		this.restyle();
	}

	range() {
		return this.state.filter.range ?? [0, this.model.duration];
	}

	highest() {
		const [from, to] = this.range(), { start, lag } = this.model;
		let most = 0;
		for (let i = 0; i < lag.length; i++)
			if (start[i] <= to && start[i] + lag[i] >= from)
				most = Math.max(most, lag[i]);
		return most || this.model.threshold;
	}

	scaleY() {
		const top = this.highest() / 1e6;
		return this.log ? [this.model.threshold / 1e6 * 0.7, top * 1.4] : [0, top * 1.1];
	}

	options() {
		const { dim, line } = this.colors, font = '12px system-ui, sans-serif';
		const axis = { stroke: dim, font, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
		return {
			width: this.width,
			height: HEIGHT,
			padding: [8, this.width > 600 ? 60 : 8, 0, 0],
			legend: { show: false },
			scales: {
				x: { time: false, range: () => this.range().map(ns => ns / 1e9) },
				y: { distr: this.log ? 3 : 1, range: () => this.scaleY() },
			},
			axes: [
				{ ...axis, size: 30, space: 80, incrs: TICKS, values: (u, splits) => splits.map(s => this.tick(s, splits)) },
				{ ...axis, size: 64, space: 26, values: (u, splits) => splits.map(ms => ms ? duration(ms * 1e6) : '0'),
					...this.log && { splits: (u, index, min, max) => steps(min, max), filter: (u, splits) => splits } },
			],
			series: [{}, { paths: () => null, points: { show: false } }],
			cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false },
				bind: { dblclick: () => null } },
			hooks: {
				drawAxes: [u => this.drawBack(u), u => this.drawLimits(u)],
				draw: [u => this.drawStalls(u)],
				setSelect: [u => this.onSelect(u)],
				setCursor: [u => this.onHover(u)],
			},
		};
	}

	tick(s, splits) {
		const step = splits.length > 1 ? splits[1] - splits[0] : 1;
		if (this.range()[1] >= 120e9)
			return minutes(s, step < 1 ? 1 : 0);
		return `${s.toFixed(Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)))} s`;
	}

	rebuild() {
		this.width ??= Math.max(this.box.clientWidth, 100);
		this.colors = Object.fromEntries(['notice', 'warning', 'incident', 'faded', 'accent', 'raised', 'dim', 'line']
			.map(name => [name, ink(name)]));
		const { order, start, lag } = this.model;
		const x = Array.from(order, i => start[i] / 1e9), y = Array.from(order, i => lag[i] / 1e6);
		// uPlot draws nothing at all without a row.
		this.plot = new uPlot(this.options(), x.length ? [x, y] : [[0], [null]], this.box);
		this.plot.over.addEventListener('mousedown', event => {
			this.downAt = event.clientX;
			this.zoomed = false;
		});
		this.plot.over.addEventListener('click', event => this.onClick(event));
		this.plot.over.addEventListener('dblclick', () => this.state.set({ range: null }));
		this.plot.over.addEventListener('mouseleave', () => this.describe(this.state.filter.stall));
	}

	restyle() {
		this.plot?.destroy();
		this.plot = null;
		this.update();
	}

	rescale() {
		const [from, to] = this.range(), [bottom, top] = this.scaleY();
		this.plot.batch(() => {
			this.plot.setScale('x', { min: from / 1e9, max: to / 1e9 });
			this.plot.setScale('y', { min: bottom, max: top });
		});
	}

	resize(width) {
		if (!width || width === this.width)
			return;
		this.width = width;
		this.plot?.setSize({ width, height: HEIGHT });
	}

	update() {
		const filter = this.state.filter;
		this.active = this.model.mask(filter, 'range');
		if (this.plot)
			this.rescale();
		else
			this.rebuild();
		this.describe(filter.stall);
	}

	drawBack(u) {
		const from = u.valToPos(0, 'x', true), to = u.valToPos(this.model.serving / 1e9, 'x', true);
		const right = u.bbox.left + u.bbox.width, left = Math.max(from, u.bbox.left);
		const width = Math.min(to, right) - left;
		if (this.model.serving <= 0 || width <= 0)
			return;
		u.ctx.fillStyle = this.colors.raised;
		u.ctx.fillRect(left, u.bbox.top, width, u.bbox.height);
		if (width > 60 * devicePixelRatio) {
			u.ctx.fillStyle = this.colors.dim;
			u.ctx.textAlign = 'left';
			u.ctx.textBaseline = 'top';
			u.ctx.fillText('starting', left + 6 * devicePixelRatio, u.bbox.top + 4 * devicePixelRatio);
		}
	}

	// Of each pixel column the highest stall that begins there, of the active and of the others.
	envelope(u) {
		const { start, lag } = this.model, { left, width } = u.bbox;
		const [from, to] = this.range(), scale = width / (to - from);
		const columns = [new Map(), new Map()];
		for (let i = 0; i < lag.length; i++) {
			if (start[i] > to || start[i] + lag[i] < from)
				continue;
			const x = Math.floor(left + (start[i] - from) * scale), of = columns[this.active[i]];
			const before = of.get(x);
			if (before === undefined || lag[i] > lag[before])
				of.set(x, i);
		}
		return { columns, scale };
	}

	drawStalls(u) {
		const { left, top, width, height } = u.bbox, { columns, scale } = this.envelope(u);
		const narrowest = 2 * devicePixelRatio, { lag, severity, severities } = this.model;
		const bars = {}; // by color, because changing it takes time
		const add = (color, x, i) => {
			const y = Math.round(u.valToPos(lag[i] / 1e6, 'y', true));
			(bars[color] ??= new Path2D()).rect(x, y, Math.max(Math.round(lag[i] * scale), narrowest), top + height - y);
		};
		columns[0].forEach((i, x) => add('faded', x, i));
		columns[1].forEach((i, x) => add(i === this.state.filter.stall ? 'accent' : severities[severity[i]], x, i));
		u.ctx.save();
		u.ctx.beginPath();
		u.ctx.rect(left, top, width, height);
		u.ctx.clip();
		for (const [color, path] of Object.entries(bars)) {
			u.ctx.fillStyle = this.colors[color];
			u.ctx.fill(path);
		}
		const cursor = this.model.order[this.cursor];
		if (cursor !== undefined && document.activeElement === this.box)
			this.drawCursor(u, cursor);
		u.ctx.restore();
	}

	drawCursor(u, i) {
		const x = u.valToPos(this.model.start[i] / 1e9, 'x', true);
		u.ctx.fillStyle = this.colors.accent;
		u.ctx.fillRect(x - 1, u.bbox.top, 2 * devicePixelRatio, u.bbox.height);
	}

	drawLimits(u) {
		const { left, width, top, height } = u.bbox;
		u.ctx.save();
		u.ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
		u.ctx.lineWidth = devicePixelRatio;
		u.ctx.textAlign = 'left';
		u.ctx.textBaseline = 'middle';
		for (const [ns, name] of LIMITS) {
			const y = u.valToPos(ns / 1e6, 'y', true);
			if (y < top + 4 || y > top + height)
				continue;
			u.ctx.strokeStyle = u.ctx.fillStyle = this.colors[name];
			u.ctx.beginPath();
			u.ctx.moveTo(left, y);
			u.ctx.lineTo(left + width, y);
			u.ctx.stroke();
			if (this.width > 600)
				u.ctx.fillText(name, left + width + 6 * devicePixelRatio, y);
		}
		u.ctx.restore();
	}

	onSelect(u) {
		const { left, width } = u.select;
		if (width < 3)
			return;
		const at = px => Math.max(0, u.posToVal(px, 'x') * 1e9);
		const range = [at(left), Math.min(at(left + width), this.model.duration)];
		u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
		this.zoomed = true;
		this.state.set({ range });
	}

	// The highest stall within a few pixels of the pointer.
	under(u, px) {
		const from = u.posToVal(px - 4, 'x') * 1e9, to = u.posToVal(px + 4, 'x') * 1e9;
		const { start, lag } = this.model;
		let best = null;
		for (let i = 0; i < lag.length; i++)
			if (start[i] <= to && start[i] + lag[i] >= from && (best === null || lag[i] > lag[best]))
				best = i;
		return best;
	}

	onHover(u) {
		if (u.cursor.left >= 0)
			this.describe(this.under(u, u.cursor.left) ?? this.state.filter.stall);
	}

	onClick(event) {
		if (this.zoomed || Math.abs(event.clientX - this.downAt) > 3) {
			this.zoomed = false;
			return;
		}
		const stall = this.under(this.plot, this.plot.cursor.left);
		this.state.set({ stall: stall === this.state.filter.stall ? null : stall });
	}

	words(i) {
		const { model } = this, finding = model.findings[model.finding[i]];
		return [
			`${clock(model.start[i])} · ${model.isOpen[i] ? 'blocked for' : 'stall'} ${duration(model.lag[i])}`,
			finding?.title, model.culprit(i), model.request(i), model.isServing[i] ? '' : 'while starting',
		].filter(Boolean).join(' · ');
	}

	describe(i) {
		this.detail.textContent = i == null
			? `Turns under ${duration(this.model.threshold)} are not drawn.` : this.words(i);
	}

	zoom(factor) {
		const [from, to] = this.range(), stall = this.model.order[this.cursor];
		const middle = stall === undefined ? (from + to) / 2 : this.model.start[stall];
		const half = (to - from) * factor / 2;
		const range = [Math.max(0, middle - half), Math.min(this.model.duration, middle + half)];
		this.state.set({ range: range[1] - range[0] >= this.model.duration ? null : range });
	}

	// The next active stall in a direction, in order of time.
	step(by, from) {
		const { order } = this.model;
		for (let at = from; at >= 0 && at < order.length; at += by)
			if (this.active[order[at]]) {
				this.cursor = at;
				this.describe(order[at]);
				announce(this.words(order[at]));
				this.plot.redraw();
				return;
			}
	}

	onKey(event) {
		const keys = {
			ArrowRight: () => this.step(1, this.cursor + 1),
			ArrowLeft: () => this.step(-1, this.cursor < 0 ? this.model.stalls - 1 : this.cursor - 1),
			Home: () => this.step(1, 0),
			End: () => this.step(-1, this.model.stalls - 1),
			Enter: () => this.cursor >= 0 && this.state.set({ stall: this.model.order[this.cursor] }),
			'+': () => this.zoom(0.5),
			'=': () => this.zoom(0.5),
			'-': () => this.zoom(2),
			0: () => this.state.set({ range: null }),
		};
		if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key])
			return;
		event.preventDefault();
		keys[event.key]();
	}
}

// 1, 2, 5, 10, 20... from min to max.
function steps(min, max) {
	const found = [];
	for (let decade = 10 ** Math.floor(Math.log10(min)); decade <= max; decade *= 10)
		found.push(...[1, 2, 5].map(step => step * decade).filter(v => v >= min && v <= max));
	return found;
}
