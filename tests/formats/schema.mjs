// Holds JSON documents against a JSON schema (draft 2020-12).
//
//     node schema.mjs SCHEMA [--closed] [--good FILE...] [--bad FILE...]
//
// --closed: members that the schema does not describe are mistakes, too.  Readers of ours must accept
// new members; what we write must have none but those described.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import Ajv from 'ajv/dist/2020.js';

const [schemaFile, ...words] = process.argv.slice(2);
const read = (file) => JSON.parse(readFileSync(file, 'utf8'));

function close(part) {
	if (typeof part !== 'object' || part === null)
		return;
	if (part.properties && !('additionalProperties' in part))
		part.additionalProperties = false;
	Object.values(part).forEach(close);
}

const schema = read(schemaFile);
if (words.includes('--closed'))
	close(schema);
const validate = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(schema);

let wanted = true, failed = false, count = 0;
for (const word of words) {
	if (word.startsWith('--')) {
		wanted = word === '--bad' ? false : word === '--good' ? true : wanted;
		continue;
	}
	count++;
	if (validate(read(word)) === wanted)
		continue;
	failed = true;
	console.log(`${word}: ${basename(schemaFile)} ${wanted ? 'refuses it' : 'accepts it'}`);
	for (const error of (validate.errors ?? []).slice(0, 5))
		console.log(`  ${error.instancePath || '/'}: ${error.message} ${JSON.stringify(error.params)}`);
}
if (!count)
	console.log(`${schemaFile}: no documents`);
process.exit(failed || !count ? 1 : 0);
