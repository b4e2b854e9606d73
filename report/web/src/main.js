import { readData } from './data.js';
import { byId } from './dom.js';
import { Findings } from './findings.js';
import { Flame } from './flame.js';
import { Model } from './model.js';
import { Paths } from './paths.js';
import { SelectionBar, State } from './selection.js';
import { Stalls } from './stalls.js';
import { Timeline } from './timeline.js';
import { addTools } from './tools.js';

const model = new Model(await readData(byId('data').textContent));

if (model.stalls) {
	for (const id of ['selection', 'timeline', 'flame', 'stalls'])
		byId(id).hidden = false;
	const state = new State();
	const timeline = new Timeline(model, state), flame = new Flame(model, state);
	const parts = [new SelectionBar(model, state), new Findings(model, state), timeline, new Stalls(model, state), flame];
	const paths = new Paths(model, flame);
	state.listeners.push(what => {
		if (what === 'filter')
			parts.forEach(part => part.update());
		paths.update();
	});
	addTools(state, () => timeline.restyle());
	state.changed('filter');
} else {
	addTools(new State(), () => {});
}
// For tests and benchmarks: the ms until what was drawn above is on the screen.
requestAnimationFrame(() => setTimeout(() => {
	document.documentElement.dataset.ready = performance.now().toFixed(0);
}));
