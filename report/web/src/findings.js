// Adds to the findings what needs a script: when each occurred, and a switch that shows only its stalls.
import { h, svg } from './dom.js';

const WIDTH = 160;

export class Findings {
	constructor(model, state) {
		this.state = state;
		this.buttons = [];
		const strips = this.strips(model);
		for (const item of document.querySelectorAll('[data-finding]')) {
			const finding = Number(item.dataset.finding);
			const button = h('button', {
				type: 'button', class: 'only', 'aria-pressed': 'false',
				'aria-label': `only this: ${model.findings[finding].title}`,
				onclick: () => state.set({ finding: state.filter.finding === finding ? null : finding, stall: null }),
			}, 'only this');
			item.prepend(button);
			this.buttons[finding] = { item, button };
			item.querySelector('.times').before(strips(finding));
		}
	}

	// The session from left to right, a mark for each stall.
	strips(model) {
		const scale = WIDTH / model.duration, marks = [];
		for (let i = 0; i < model.stalls; i++) {
			const of = marks[model.finding[i]] ??= new Map(), x = Math.floor(model.start[i] * scale);
			of.set(x, Math.max(of.get(x) ?? 1.5, model.lag[i] * scale));
		}
		return finding => svg('svg', { class: 'strip', viewBox: `0 0 ${WIDTH} 10`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
			[...marks[finding] ?? []].map(([x, width]) => svg('rect', { x, width, height: 10 })));
	}

	update() {
		const chosen = this.state.filter.finding;
		this.buttons.forEach(({ item, button }, finding) => {
			button.setAttribute('aria-pressed', finding === chosen);
			item.classList.toggle('chosen', finding === chosen);
		});
	}
}
