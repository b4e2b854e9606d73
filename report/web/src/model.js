// The recording, what is selected of it, and the call tree of what is selected.

function parents(depths) {
	const last = [], parent = new Int32Array(depths.length);
	for (let i = 0; i < depths.length; i++) {
		parent[i] = depths[i] ? last[depths[i] - 1] : -1;
		last[depths[i]] = i;
	}
	return parent;
}

// Of each node, the first node that is not below it.
function ends(parent) {
	const end = new Int32Array(parent.length);
	for (let i = parent.length - 1; i >= 0; i--) {
		end[i] = Math.max(end[i], i + 1);
		if (parent[i] >= 0)
			end[parent[i]] = Math.max(end[parent[i]], end[i]);
	}
	return end;
}

export class Model {
	constructor(columns) {
		const text = columns.text;
		const texts = name => Array.from(columns[name], number => text[number]);

		const ns = name => Float64Array.from(columns[name], us => us * 1000);

		[this.duration] = ns('session.duration');
		[this.threshold] = ns('session.threshold');
		[this.serving] = ns('session.serving');
		this.loops = texts('loop.label');
		this.processes = texts('loop.process');
		this.process = columns['loop.process'];
		this.causes = texts('cause.label');
		this.origins = texts('origin.id');
		this.originLabels = texts('origin.label');
		this.severities = texts('severity.name');
		this.findings = texts('finding.title').map((title, i) => ({
			title, culprit: text[columns['finding.culprit'][i]], cause: columns['finding.cause'][i],
		}));
		this.stalls = columns['stall.start'].length;
		this.masks = new Map();
		this.start = ns('stall.start');
		this.running = ns('stall.running');
		this.runnable = ns('stall.runnable');
		this.blocked = ns('stall.blocked');
		this.stopped = ns('stall.stopped');
		this.lag = this.running.map((running, i) => running + this.runnable[i] + this.blocked[i] + this.stopped[i]);
		this.loop = columns['stall.loop'];
		this.isServing = columns['stall.serving'];
		this.isOpen = columns['stall.open'];
		this.severity = columns['stall.severity'];
		this.cause = columns['stall.cause'];
		this.finding = columns['stall.finding'];
		this.culprit = i => text[columns['stall.culprit'][i]];
		this.request = i => text[columns['stall.request'][i]];
		this.order = Uint32Array.from({ length: this.stalls }, (_, i) => i)
			.sort((a, b) => this.start[a] - this.start[b]);

		this.frame = {
			name: texts('frame.function'), full: texts('frame.full'), file: texts('frame.file'),
			module: texts('frame.module'), line: columns['frame.line'], origin: columns['frame.origin'],
		};
		this.nodeFrame = columns['node.frame'];
		this.parent = parents(columns['node.depth']);
		this.end = ends(this.parent);
		this.weightStall = columns['weight.stall'];
		this.weightNode = columns['weight.node'];
		this.weightNs = ns('weight.us');
		// What no weight accounts for was spent at one node, "[no sample]".
		[this.restNode] = columns['session.rest'];
		this.rest = this.lag.slice();
		this.weightNs.forEach((weight, i) => { this.rest[this.weightStall[i]] -= weight; });
		this.total = new Float64Array(this.nodeFrame.length);
	}

	// "server.js:33", or the library; "" if nothing is known.
	place(frame) {
		const { file, line, module } = this.frame;
		const path = file[frame] || module[frame];
		const base = path.startsWith('node:') ? path : path.slice(path.lastIndexOf('/') + 1);
		return file[frame] && line[frame] ? `${base}:${line[frame]}` : base;
	}

	wholePlace(frame) {
		const { file, line, module } = this.frame;
		return file[frame] ? file[frame] + (line[frame] ? `:${line[frame]}` : '') : module[frame];
	}

	// 1 for each stall that passes the filter; `ignore` leaves one condition out.  Every part of the
	// page asks for nearly the same.
	mask(filter, ignore) {
		const conditions = { ...filter, [ignore]: null }, key = JSON.stringify(conditions);
		if (!this.masks.has(key)) {
			if (this.masks.size > 8)
				this.masks.clear();
			this.masks.set(key, this.makeMask(conditions));
		}
		return this.masks.get(key);
	}

	makeMask({ cause, phase, process, loop, finding, stall, range }) {
		const mask = new Uint8Array(this.stalls);
		for (let i = 0; i < this.stalls; i++)
			mask[i] = (cause == null || this.cause[i] === cause) &&
				(phase == null || this.isServing[i] === phase) &&
				(process == null || this.process[this.loop[i]] === process) &&
				(loop == null || this.loop[i] === loop) &&
				(finding == null || this.finding[i] === finding) &&
				(stall == null || i === stall) &&
				(!range || this.start[i] <= range[1] && this.start[i] + this.lag[i] >= range[0]);
		return mask;
	}

	// Puts into total what the stalls of mask spent at each node and below it.
	weigh(mask) {
		const { total, parent, weightStall, weightNode, weightNs } = this;
		total.fill(0);
		for (let i = 0; i < weightNs.length; i++)
			if (mask[weightStall[i]])
				total[weightNode[i]] += weightNs[i];
		if (this.restNode < total.length)
			for (let i = 0; i < mask.length; i++)
				total[this.restNode] += mask[i] ? this.rest[i] : 0;
		for (let i = total.length - 1; i >= 0; i--)
			if (parent[i] >= 0)
				total[parent[i]] += total[i];
	}

	// A node of the tree as it is shown: nodes of equal frames under it are one, and
	// frames of hidden origins give way to what they call.
	root() {
		let total = 0;
		for (let i = 0; i < this.total.length; i = this.end[i])
			total += this.total[i];
		return { frame: -1, nodes: [-1], total, parent: null };
	}

	// Heaviest first.
	children(view, hidden) {
		const found = new Map();
		const collect = node => {
			const end = node < 0 ? this.total.length : this.end[node];
			for (let child = node + 1; child < end; child = this.end[child]) {
				const frame = this.nodeFrame[child];
				if (this.total[child] === 0)
					continue;
				if (hidden.has(this.frame.origin[frame])) {
					collect(child);
					continue;
				}
				const same = found.get(frame);
				if (same) {
					same.nodes.push(child);
					same.total += this.total[child];
				} else {
					found.set(frame, { frame, nodes: [child], total: this.total[child], parent: view });
				}
			}
		};
		view.nodes.forEach(collect);
		return [...found.values()].sort((a, b) => b.total - a.total);
	}

	// Which frames match a search, and the time under them (counted once).
	search(query, hidden) {
		const words = query.toLowerCase(), { name, file } = this.frame;
		const match = Uint8Array.from(name, (n, i) => words !== '' && !hidden.has(this.frame.origin[i]) &&
			(n.toLowerCase().includes(words) || file[i].toLowerCase().includes(words)));
		let time = 0;
		for (let i = 0; i < this.total.length;) {
			if (match[this.nodeFrame[i]]) {
				time += this.total[i];
				i = this.end[i];
			} else {
				i++;
			}
		}
		return { match, time };
	}
}
