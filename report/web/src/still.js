// In place of the d3 modules that d3-flame-graph animates, scales and formats with: here its frames
// are where they belong at once, and words are ours.  A quarter of the page's size less.
import { selection } from 'd3-selection';

for (const name of ['transition', 'duration', 'ease', 'delay'])
	selection.prototype[name] = function () { return this; };

export const easeCubic = null;

export const format = () => String;

export function scaleLinear() {
	let [from, to] = [0, 1];
	const scale = v => from + v * (to - from);
	scale.range = range => {
		[from, to] = range;
		return scale;
	};
	return scale;
}
