// The page as it would be if the C side did not escape: what the tests must notice.
import { readFileSync, writeFileSync } from 'node:fs';

const [from, to] = process.argv.slice(2);
const names = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
writeFileSync(to, readFileSync(from, 'utf8').replace(/&(amp|lt|gt|quot|#39);/g, (entity, name) => names[name])
	// It would leave the page before anything can be looked at.
	.replaceAll('http-equiv=refresh', ''));
