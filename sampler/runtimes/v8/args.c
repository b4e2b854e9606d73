#include <string.h>

#include "core/strings.h"
#include "sampler/runtimes/v8/v8.h"
#include "sampler/symbols.h"

/*
 * Arguments of calls that are known to block, read from the caller's slots of
 * their frames.  A function that was inlined has no slots: nothing is said then.
 */
enum take {
	TAKE_NUMBER,  /* a Smi */
	TAKE_TEXT,    /* a string */
	TAKE_BYTES,   /* the length of a string, typed array, view or buffer */
	TAKE_PATH,    /* a string; a number is a descriptor */
	TAKE_COMMAND, /* a string and the array of strings after it */
	TAKE_FIELD,   /* a Smi in a property of an object */
	TAKE_OPTION,  /* the same, of an object anywhere in the frame */
};

struct wanted {
	enum argument_key key;
	enum take take;
	int index; /* of the argument */
	const char *property;
};

static const struct call {
	const char *file, *function; /* "*Sync": any that ends so; file NULL: a builtin */
	struct wanted takes[3];
	int n;
} calls[] = {
	/* clang-format off */
	{ NULL, "JSON.parse", { { ARG_BYTES, TAKE_BYTES, 0 } }, 1 },
	{ "node:internal/crypto/pbkdf2", "pbkdf2Sync",
	  { { ARG_ITERATIONS, TAKE_NUMBER, 2 }, { ARG_KEYLEN, TAKE_NUMBER, 3 },
	    { ARG_DIGEST, TAKE_TEXT, 4 } }, 3 },
	/* A local has the options with defaults filled in. */
	{ "node:internal/crypto/scrypt", "scryptSync",
	  { { ARG_COST, TAKE_OPTION, 3, "N" }, { ARG_KEYLEN, TAKE_NUMBER, 2 } }, 2 },
	{ "node:internal/crypto/hkdf", "hkdfSync",
	  { { ARG_DIGEST, TAKE_TEXT, 0 }, { ARG_KEYLEN, TAKE_NUMBER, 4 } }, 2 },
	{ "node:internal/crypto/hash", "hash",
	  { { ARG_DIGEST, TAKE_TEXT, 0 }, { ARG_BYTES, TAKE_BYTES, 1 } }, 2 },
	{ "node:internal/crypto/hash", "*update", { { ARG_BYTES, TAKE_BYTES, 0 } }, 1 },
	{ "node:internal/crypto/cipher", "*update", { { ARG_BYTES, TAKE_BYTES, 0 } }, 1 },
	{ "node:internal/crypto/sig", "*update", { { ARG_BYTES, TAKE_BYTES, 0 } }, 1 },
	{ "node:internal/crypto/sig", "signOneShot",
	  { { ARG_DIGEST, TAKE_TEXT, 0 }, { ARG_BYTES, TAKE_BYTES, 1 } }, 2 },
	{ "node:internal/crypto/sig", "verifyOneShot",
	  { { ARG_DIGEST, TAKE_TEXT, 0 }, { ARG_BYTES, TAKE_BYTES, 1 } }, 2 },
	{ "node:internal/crypto/keygen", "generateKeyPairSync",
	  { { ARG_KEYLEN, TAKE_FIELD, 1, "modulusLength" } }, 1 },
	{ "node:internal/crypto/random", "randomBytes", { { ARG_BYTES, TAKE_NUMBER, 0 } }, 1 },
	{ "node:internal/crypto/random", "randomFillSync", { { ARG_BYTES, TAKE_BYTES, 0 } }, 1 },

	{ "node:zlib", "syncBufferWrapper",
	  { { ARG_BYTES, TAKE_BYTES, 0 }, { ARG_LEVEL, TAKE_FIELD, 1, "level" } }, 2 },
	{ "node:zlib", "zlibBufferSync",
	  { { ARG_BYTES, TAKE_BYTES, 1 }, { ARG_LEVEL, TAKE_FIELD, 0, "_level" } }, 2 },

	{ "node:zlib", "processChunkSync",
	  { { ARG_BYTES, TAKE_BYTES, 1 }, { ARG_LEVEL, TAKE_FIELD, 0, "_level" } }, 2 },

	{ "node:fs", "writeFileSync",
	  { { ARG_PATH, TAKE_PATH, 0 }, { ARG_BYTES, TAKE_BYTES, 1 } }, 2 },
	{ "node:fs", "appendFileSync",
	  { { ARG_PATH, TAKE_PATH, 0 }, { ARG_BYTES, TAKE_BYTES, 1 } }, 2 },
	{ "node:fs", "readSync",
	  { { ARG_PATH, TAKE_PATH, 0 }, { ARG_BYTES, TAKE_BYTES, 1 } }, 2 },
	{ "node:fs", "writeSync",
	  { { ARG_PATH, TAKE_PATH, 0 }, { ARG_BYTES, TAKE_BYTES, 1 } }, 2 },
	{ "node:fs", "*Sync", { { ARG_PATH, TAKE_PATH, 0 } }, 1 },
	/* Node 20.4 to 21 */
	{ "node:internal/fs/sync", "*", { { ARG_PATH, TAKE_PATH, 0 } }, 1 },

	{ "node:child_process", "execSync", { { ARG_COMMAND, TAKE_TEXT, 0 } }, 1 },
	{ "node:child_process", "*Sync", { { ARG_COMMAND, TAKE_COMMAND, 0 } }, 1 },

	{ "node:dns", "lookup", { { ARG_HOST, TAKE_TEXT, 0 } }, 1 },
	{ "node:dns", "lookupService", { { ARG_HOST, TAKE_TEXT, 0 } }, 1 },
	{ "node:dns", "query", { { ARG_HOST, TAKE_TEXT, 0 } }, 1 },
	{ "node:internal/dns/callback_resolver", "query", { { ARG_HOST, TAKE_TEXT, 0 } }, 1 },
	{ "node:internal/dns/promises", "lookup", { { ARG_HOST, TAKE_TEXT, 0 } }, 1 },
	{ "node:internal/dns/promises", "createLookupPromise", { { ARG_HOST, TAKE_TEXT, 1 } }, 1 },
	{ "node:internal/dns/promises", "query", { { ARG_HOST, TAKE_TEXT, 0 } }, 1 },

	{ "node:internal/modules/cjs/loader", "Module._load", { { ARG_MODULE, TAKE_TEXT, 0 } }, 1 },
	/* Of Node 24.22 the other has no name. */
	{ "node:internal/modules/cjs/loader", "wrapModuleLoad",
	  { { ARG_MODULE, TAKE_TEXT, 0 } }, 1 },
	{ "node:internal/modules/esm/loader", "import", { { ARG_MODULE, TAKE_TEXT, 0 } }, 1 },
	{ "node:internal/modules/esm/translators", "moduleStrategy",
	  { { ARG_MODULE, TAKE_TEXT, 0 } }, 1 },
	{ "node:internal/modules/esm/utils", "compileSourceTextModule",
	  { { ARG_MODULE, TAKE_TEXT, 0 } }, 1 },
	/* clang-format on */
};

/*
 * Calls into node's C++ from functions of its modules, which may have been
 * inlined: then these arguments are all that is left.
 */
static const struct {
	const char *file; /* of the caller */
	struct wanted want;
} api_calls[] = {
	/* clang-format off */
	{ "node:fs",                   { ARG_PATH,  TAKE_PATH,  0 } },
	{ "node:internal/fs/sync",     { ARG_PATH,  TAKE_PATH,  0 } },
	{ "node:zlib",                 { ARG_BYTES, TAKE_BYTES, 1 } }, /* writeSync(flush, in, ...) */
	{ "node:internal/crypto/hash", { ARG_BYTES, TAKE_BYTES, 0 } },
	/* getaddrinfo(req, host, ...), queryA(req, host) */
	{ "node:dns", { ARG_HOST, TAKE_TEXT, 1 } },
	{ "node:internal/dns/callback_resolver", { ARG_HOST, TAKE_TEXT, 1 } },
	{ "node:internal/dns/promises", { ARG_HOST, TAKE_TEXT, 1 } },
	/* clang-format on */
};

enum { COMMAND_WORDS = 16, SCAN_WORDS = 512, LOCAL_WORDS = 64 };

/* A word of the stack. */
struct origin {
	uint64_t slot, word;
};

/* The arguments of one stack as they are collected. */
struct collector {
	struct v8 *v8;
	const struct raw_stack *stack;
	struct runtime_argument *out;
	size_t n;
	struct origin from; /* the word read last: it leads to what is collected next */
	bool internal; /* all frames since the last entry of Node's own modules were internal */
};

/* Of a V8 that was not measured nothing is known to stay. */
static bool may_move(struct collector *c, uint64_t word)
{
	return v8_is_object(word) && (c->v8->guessed || v8_is_young(&c->v8->heap, word));
}

/*
 * Adds or, from one of Node's own functions called by another of them, replaces:
 * execSync's command counts, not that of the spawnSync it calls.
 */
/* Places that modules leave to arguments of other kinds. */
enum { OTHERS = 6 };

static void collect(struct collector *c, enum argument_key key, int64_t number, const char *text,
		    size_t frame)
{
	struct runtime_argument *a = NULL;

	for (size_t i = 0; i < c->n && !a; i++) {
		if (c->out[i].argument.key == key)
			a = &c->out[i];
	}
	/* Modules load each other; who asked for the first of them is known later. */
	if (key == ARG_MODULE)
		a = c->n < RUNTIME_MAX_ARGUMENTS - OTHERS ? NULL : a;
	else if (a && !c->internal)
		return;
	if (!a) {
		if (c->n == RUNTIME_MAX_ARGUMENTS)
			return;
		a = &c->out[c->n++];
	}
	*a = (struct runtime_argument){
		.argument = { .key = key,
			      .number = number,
			      .text = text,
			      .frame = (uint32_t)frame },
		.slot = may_move(c, c->from.word) ? c->from.slot : 0,
		.word = c->from.word,
	};
}

static bool read_slot(struct collector *c, size_t i, int32_t offset, uint64_t *word)
{
	uint64_t addr = c->stack->frames[i].fp + (uint64_t)(int64_t)offset;

	if (!v8_read(&c->v8->heap, addr, word, sizeof(*word)))
		return false;
	c->from = (struct origin){ addr, *word };
	return true;
}

static const char *read_text(struct collector *c, uint64_t value)
{
	char buf[V8_STRING_MAX + 1];

	return v8_string(&c->v8->heap, value, buf, sizeof(buf)) < 0 ? NULL : v8_intern(c->v8, buf);
}

/* "file arg arg ..." */
static const char *read_command(struct collector *c, uint64_t file, uint64_t args)
{
	struct strbuf b = { 0 };
	char word[256];
	uint64_t elements, value;
	const char *text;
	uint32_t n = 0;

	if (v8_string(&c->v8->heap, file, word, sizeof(word)) < 0)
		return NULL;
	strbuf_puts(&b, word);
	args = v8_moved(&c->v8->heap, args);
	if (v8_type(&c->v8->heap, args) == c->v8->layout.type_array &&
	    v8_field_object(&c->v8->heap, args, c->v8->layout.object_elements, &elements))
		n = v8_array_length(&c->v8->heap, elements);
	for (uint32_t i = 0; i < n && i < COMMAND_WORDS; i++) {
		/* The array has room behind its end, filled with holes. */
		if (!v8_element(&c->v8->heap, elements, i, &value) ||
		    v8_string(&c->v8->heap, value, word, sizeof(word)) < 0)
			break;
		strbuf_printf(&b, " %s", word);
	}
	text = v8_intern(c->v8, b.s);
	strbuf_destroy(&b);
	return text;
}

/* The Smi in a property of the first object between the frame's stack pointer and its slots. */
static bool find_option(struct collector *c, size_t frame, const char *property, uint64_t *value)
{
	const struct raw_frame *f = &c->stack->frames[frame];
	uint64_t words[LOCAL_WORDS], top = f->fp + (uint64_t)(int64_t)c->v8->layout.fp_function;
	size_t n = f->fp > f->sp ? (top - f->sp) / 8 : 0;

	if (n > LOCAL_WORDS)
		n = LOCAL_WORDS;
	if (n == 0 || !v8_read(&c->v8->heap, top - n * 8, words, n * 8))
		return false;
	for (uint64_t slot = top - 8; n-- > 0; slot -= 8) {
		uint64_t object = v8_is_object(words[n]) ? v8_moved(&c->v8->heap, words[n]) : 0;

		c->from = (struct origin){ slot, words[n] };
		if (object && v8_property(c->v8, object, property, value) && v8_is_smi(*value))
			return true;
	}
	return false;
}

/* The Smi in a property of an object that the collector may have moved. */
static void take_field(struct collector *c, const struct wanted *want, size_t frame, uint64_t value)
{
	value = v8_moved(&c->v8->heap, value);
	if (value && v8_property(c->v8, value, want->property, &value) && v8_is_smi(value))
		collect(c, want->key, v8_smi(value), NULL, frame);
}

static void take_option(struct collector *c, const struct wanted *want, size_t frame, int32_t slot)
{
	uint64_t value;

	if (find_option(c, frame, want->property, &value))
		collect(c, want->key, v8_smi(value), NULL, frame);
	else if (read_slot(c, frame, slot, &value))
		take_field(c, want, frame, value);
}

static void take_bytes(struct collector *c, const struct wanted *want, size_t frame, uint64_t value)
{
	int64_t bytes = v8_byte_length(c->v8, v8_moved(&c->v8->heap, value));

	if (bytes >= 0)
		collect(c, want->key, bytes, NULL, frame);
}

static void take_text(struct collector *c, const struct wanted *want, size_t frame, uint64_t value)
{
	const char *text = read_text(c, value);

	if (text)
		collect(c, want->key, 0, text, frame);
}

static void take_command(struct collector *c, const struct wanted *want, size_t frame, int32_t slot)
{
	const char *text;
	uint64_t args, file;

	if (read_slot(c, frame, slot + 8, &args) && read_slot(c, frame, slot, &file) &&
	    (text = read_command(c, file, args)))
		collect(c, want->key, 0, text, frame);
}

/* One argument in a slot, or what belongs to it. */
static void take(struct collector *c, const struct wanted *want, size_t frame, int32_t first)
{
	int32_t slot = first + 8 * want->index;
	uint64_t value;

	if (!read_slot(c, frame, slot, &value))
		return;
	switch (want->take) {
	case TAKE_OPTION:
		take_option(c, want, frame, slot);
		break;
	case TAKE_FIELD:
		take_field(c, want, frame, value);
		break;
	case TAKE_NUMBER:
		if (v8_is_smi(value))
			collect(c, want->key, v8_smi(value), NULL, frame);
		break;
	case TAKE_BYTES:
		take_bytes(c, want, frame, value);
		break;
	case TAKE_PATH:
		if (v8_is_smi(value))
			collect(c, ARG_DESCRIPTOR, v8_smi(value), NULL, frame);
		else
			take_text(c, want, frame, value);
		break;
	case TAKE_TEXT:
		take_text(c, want, frame, value);
		break;
	case TAKE_COMMAND:
		take_command(c, want, frame, slot);
		break;
	}
}

static bool call_matches(const struct call *call, const char *file, const char *function)
{
	const char *want = call->function;
	size_t n = strlen(function);

	if (call->file ? !file || strcmp(file, call->file) != 0 : file != NULL)
		return false;
	if (want[0] != '*')
		return strcmp(function, want) == 0;
	return n >= strlen(want + 1) && strcmp(function + n - strlen(want + 1), want + 1) == 0;
}

/* What is known of the call that frame i is, whose first argument is at fp + first. */
static void take_call(struct collector *c, size_t i, const char *file, const char *function,
		      int32_t first)
{
	for (size_t k = 0; k < sizeof(calls) / sizeof(calls[0]); k++) {
		if (!call_matches(&calls[k], file, function))
			continue;
		for (int t = 0; t < calls[k].n; t++)
			take(c, &calls[k].takes[t], i, first);
		return;
	}
}

/* Where the receiver of a call into the embedder is in its frame; 0: frame i is none. */
static int32_t api_receiver(struct collector *c, size_t i)
{
	const struct v8_layout *layout = &c->v8->layout;
	uint64_t marker, holder, receiver;

	if (c->v8->frame_function[i].shared)
		return layout->fp_builtin_receiver;
	if (!read_slot(c, i, -8, &marker))
		return 0;
	if (layout->frame_api_exit >= 0 && marker == (uint64_t)layout->frame_api_exit * 2)
		return layout->fp_api_receiver;
	/* The same frame type serves V8's own functions: there the two are not the same object. */
	if (layout->fp_exit_receiver >= 0 && marker == (uint64_t)layout->frame_exit * 2 &&
	    read_slot(c, i, layout->fp_exit_holder, &holder) &&
	    read_slot(c, i, layout->fp_exit_receiver, &receiver) && v8_is_object(holder) &&
	    holder == receiver)
		return layout->fp_exit_receiver;
	return 0;
}

/* Frame i was called by a function of one of node's modules. */
static void take_api_call(struct collector *c, size_t i, const char *caller)
{
	int32_t receiver;

	for (size_t k = 0; k < sizeof(api_calls) / sizeof(api_calls[0]); k++) {
		if (strcmp(api_calls[k].file, caller) != 0)
			continue;
		receiver = api_receiver(c, i);
		if (receiver)
			take(c, &api_calls[k].want, i, receiver + 8);
	}
}

static bool is_regexp(struct v8 *v8, uint64_t object)
{
	int type = v8_type(&v8->heap, object);

	return type >= 0 && (type == v8->layout.type_regexp || type == v8->layout.type_regexp_data);
}

/* Pattern and flags of a JSRegExp or, since V8 13.6, of its data. */
static void collect_regexp(struct collector *c, uint64_t regexp, size_t frame)
{
	static const char letters[] = "gimyusldv"; /* by bit */
	static const char order[] = "dgimsuvyl";   /* as RegExp.prototype.flags has them */
	const struct v8_layout *layout = &c->v8->layout;
	bool data = v8_type(&c->v8->heap, regexp) == layout->type_regexp_data;
	char flags[sizeof(order)] = "";
	uint64_t source;
	int32_t bits;
	const char *text;
	size_t n = 0;

	if (v8_field_object(&c->v8->heap, regexp,
			    data ? layout->regexp_data_source : layout->regexp_source, &source) &&
	    (text = read_text(c, source)))
		collect(c, ARG_PATTERN, 0, text, frame);
	if (!v8_field_smi(&c->v8->heap, regexp,
			  data ? layout->regexp_data_flags : layout->regexp_flags, &bits))
		return;
	for (size_t i = 0; order[i]; i++) {
		if (bits >> (strchr(letters, order[i]) - letters) & 1)
			flags[n++] = order[i];
	}
	flags[n] = '\0';
	collect(c, ARG_FLAGS, 0, v8_intern(c->v8, flags), frame);
}

static void collect_subject(struct collector *c, uint64_t subject, size_t frame)
{
	int64_t length = v8_string_length(&c->v8->heap, v8_moved(&c->v8->heap, subject));

	if (length >= 0)
		collect(c, ARG_SUBJECT_LENGTH, length, NULL, frame);
}

/* Compiled regular expressions have both in their frame. */
static bool regexp_from_code(struct collector *c, size_t i)
{
	uint64_t word;

	if (!read_slot(c, i, c->v8->layout.fp_regexp, &word))
		return false;
	word = v8_moved(&c->v8->heap, word);
	if (!is_regexp(c->v8, word))
		return false;
	collect_regexp(c, word, i);
	if (read_slot(c, i, c->v8->layout.fp_regexp_subject, &word))
		collect_subject(c, word, i);
	return true;
}

/* Among receiver and arguments of a builtin: the regular expression, and the string beside it. */
static bool regexp_from_builtin(struct collector *c, size_t i, int32_t receiver)
{
	const struct v8_layout *layout = &c->v8->layout;
	uint64_t subject = 0, regexp = 0, word;
	struct origin from_subject = { 0 }, from_regexp = { 0 };

	for (int32_t k = 0; k < 3 && read_slot(c, i, receiver + 8 * k, &word); k++) {
		uint64_t object = v8_moved(&c->v8->heap, word);

		if (!regexp && is_regexp(c->v8, object)) {
			regexp = object;
			from_regexp = c->from;
		}
		if (!subject && v8_is_string(&c->v8->heap, object)) {
			subject = object;
			from_subject = c->from;
		}
		/* str.matchAll(re).next() */
		if (!regexp && v8_type(&c->v8->heap, object) == layout->type_regexp_iterator &&
		    v8_field_object(&c->v8->heap, object, layout->iterator_regexp, &regexp)) {
			v8_field_object(&c->v8->heap, object, layout->iterator_string, &subject);
			from_regexp = from_subject = c->from;
		}
	}
	if (!is_regexp(c->v8, regexp))
		return false;
	c->from = from_regexp;
	collect_regexp(c, regexp, i);
	c->from = from_subject;
	if (subject)
		collect_subject(c, subject, i);
	return true;
}

/* Does native code of frame i belong to V8's engine for regular expressions? */
static bool runs_regexp(struct v8 *v8, const struct raw_frame *frame)
{
	uint64_t pc = raw_frame_lookup_pc(frame);
	struct mapping *m = space_find(v8->space, pc);
	struct symbol sym;

	return m && v8->file && space_file(v8->space, m) == v8->file &&
	       symbols_lookup(v8->file, pc - m->bias, &sym) &&
	       (strstr(sym.name, "RegExp") || strstr(sym.name, "Irregexp"));
}

/* The last resort where the builtin was inlined: the stack between the engine and its caller. */
static void regexp_from_stack(struct collector *c, size_t from, size_t to)
{
	uint64_t words[SCAN_WORDS], sp = c->stack->frames[from].sp;
	size_t n = (c->stack->frames[to].fp - sp) / 8;

	if (c->stack->frames[to].fp < sp)
		return;
	if (n > SCAN_WORDS)
		n = SCAN_WORDS;
	if (!v8_read(&c->v8->heap, sp, words, n * 8))
		return;
	for (size_t i = 0; i < n; i++) {
		if (v8_is_object(words[i]) && is_regexp(c->v8, words[i])) {
			c->from = (struct origin){ sp + i * 8, words[i] };
			collect_regexp(c, words[i], to);
			return;
		}
	}
}

/* The regular expression in hand: of frames above the nearest function of a script. */
static void take_regexp(struct collector *c, const struct frame *names)
{
	const struct v8_layout *layout = &c->v8->layout;
	bool engine = false;
	size_t i;

	for (i = 0; i < c->stack->n; i++) {
		const struct v8_function *f = &c->v8->frame_function[i];

		if (names[i].kind == FRAME_JIT && names[i].function &&
		    strcmp(names[i].function, "(regexp)") == 0 && regexp_from_code(c, i))
			return;
		if (f->shared && f->script)
			break;
		if (f->shared && (regexp_from_builtin(c, i, layout->fp_receiver) ||
				  regexp_from_builtin(c, i, layout->fp_builtin_receiver)))
			return;
		engine |= runs_regexp(c->v8, &c->stack->frames[i]);
	}
	if (engine && i < c->stack->n)
		regexp_from_stack(c, 0, i);
}

/* Does node's loop over due timers, or over what setImmediate() took, call frame i? */
static bool is_timer_callback(struct collector *c, size_t i)
{
	const struct v8_function *caller = &c->v8->frame_function[i + 1];

	return caller->shared && caller->file && caller->name &&
	       strcmp(caller->file, "node:internal/timers") == 0 &&
	       (strcmp(caller->name, "listOnTimeout") == 0 ||
		strcmp(caller->name, "processImmediate") == 0);
}

/*
 * The object that the loop's callback was called on: a timer, a connection.  Callbacks of one
 * function look the same on the stack but for that.  Only of the stack that was copied with the
 * sample: what is read later may belong to the next callback.
 */
static void take_callback(struct collector *c)
{
	const struct memory *mem = c->v8->heap.mem;
	size_t entry = STACK_MAX;
	uint64_t word, at;

	for (size_t i = 0; i < c->stack->n; i++) {
		if (!c->v8->frame_function[i].shared)
			continue;
		entry = i;
		if (i + 1 < c->stack->n && is_timer_callback(c, i))
			break;
	}
	if (entry == STACK_MAX)
		return;
	at = c->stack->frames[entry].fp + (uint64_t)(int64_t)c->v8->layout.fp_receiver;
	if (at - mem->window_addr >= mem->window_len ||
	    !read_slot(c, entry, c->v8->layout.fp_receiver, &word) || !v8_is_object(word))
		return;
	c->from = (struct origin){ 0 };
	c->internal = false;
	collect(c, ARG_CALLBACK, (int64_t)(hash_bytes(0, &word, sizeof(word)) >> 33), NULL, entry);
}

static bool is_internal(const struct frame *name)
{
	return name->kind == FRAME_JS && name->file && strncmp(name->file, "node:", 5) == 0;
}

size_t v8_arguments(void *state, const struct raw_stack *stack, struct memory *mem,
		    const struct frame *names, struct runtime_argument *out)
{
	struct collector c = { .v8 = state, .stack = stack, .out = out, .internal = true };

	if (c.v8->level == V8_NATIVE)
		return 0;
	take_regexp(&c, names);
	for (size_t i = 0; i < stack->n; i++) {
		const struct v8_function *f = &c.v8->frame_function[i];

		if (i + 1 < stack->n && (!f->shared || !f->script) && !c.v8->guessed &&
		    is_internal(&names[i + 1]))
			take_api_call(&c, i, names[i + 1].file);
		if (!f->shared || !f->name)
			continue;
		if (f->script && f->file && strncmp(f->file, "node:", 5) == 0) {
			take_call(&c, i, f->file, f->name, c.v8->layout.fp_receiver + 8);
		} else if (!f->script && names[i].function && !c.v8->guessed) {
			take_call(&c, i, NULL, names[i].function,
				  c.v8->layout.fp_builtin_receiver + 8);
		} else {
			c.internal = false;
		}
	}
	take_callback(&c);
	return c.n;
}
