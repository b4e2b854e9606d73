// Reads the columns that report/html_pack.h describes: { "stall.start": Float64Array, ... }.

async function gunzip(bytes) {
	const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
	return new Uint8Array(await new Response(stream).arrayBuffer());
}

function decodeBase64(text) {
	if (Uint8Array.fromBase64)
		return Uint8Array.fromBase64(text);
	const binary = atob(text);
	const bytes = new Uint8Array(binary.length);
	for (let i = 0; i < binary.length; i++)
		bytes[i] = binary.charCodeAt(i);
	return bytes;
}

// The rows whose planes begin at `at`.
function readRows(bytes, at, n, width, deltas) {
	// Doubles hold every time in ns exactly up to 104 days.
	const rows = width <= 4 && !deltas ? new Uint32Array(n) : new Float64Array(n);
	for (let byte = 0, unit = 1; byte < width; byte++, unit *= 256)
		for (let i = 0, from = at + byte * n; i < n; i++)
			rows[i] += bytes[from + i] * unit;
	if (deltas)
		for (let i = 0, before = 0; i < n; i++) {
			const v = rows[i];
			before += v % 2 ? -(v + 1) / 2 : v / 2;
			rows[i] = before;
		}
	return rows;
}

export function readColumns(bytes) {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	const utf8 = new TextDecoder();
	const columns = {};
	for (let at = 0; at < bytes.length;) {
		const head = at + 1 + bytes[at];
		const name = utf8.decode(bytes.subarray(at + 1, head));
		const n = view.getUint32(head, true);
		const width = bytes[head + 4];
		const body = head + 6;
		at = body + n * width;
		columns[name] = name === 'text' ? utf8.decode(bytes.subarray(body, at)).split('\0')
			: readRows(bytes, body, n, width, bytes[head + 5]);
	}
	return columns;
}

export async function readData(base64) {
	return readColumns(await gunzip(decodeBase64(base64)));
}
