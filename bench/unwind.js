// A main thread that is always busy, in all the ways a server is: it asks itself over and over.
'use strict';
const crypto = require('crypto');
const http = require('http');

const rows = Array.from({ length: 300 }, (_, i) => ({ id: i, name: `row ${i}`, at: [i, i * 2] }));
const body = JSON.stringify(rows);

const ways = {
	'/hash': () => crypto.pbkdf2Sync('secret', 'salt', 2000, 64, 'sha512').toString('hex'),
	'/parse': () => String(JSON.parse(body).length),
	'/stringify': () => JSON.stringify(rows.map((r) => ({ ...r, name: r.name.toUpperCase() }))),
	'/sort': () => String(rows.slice().sort((a, b) => (a.name < b.name ? 1 : -1))[0].id),
	'/match': () => String(/(?:a|ab|row )+\d+$/.test(body.slice(0, 2000))),
	'/sum': () => {
		let x = 0;

		for (let i = 0; i < 200000; i++)
			x = (x + Math.imul(i, 2654435761)) | 0;
		return String(x);
	},
};

const server = http.createServer((request, response) => {
	response.end(ways[request.url]());
});

server.listen(0, '127.0.0.1', () => {
	const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
	const urls = Object.keys(ways);
	let turn = 0;

	function ask() {
		http.get({ port: server.address().port, path: urls[turn++ % urls.length], agent }, (r) => {
			r.resume();
			r.on('end', ask);
		});
	}
	for (let i = 0; i < 4; i++)
		ask();
});
