#include "sampler/runtimes/v8/v8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "sampler/symbols.h"

enum {
	FILE_MIN = 8 << 20, /* no V8 is smaller */
	RODATA_MAX = 64 << 20,
	OLDEST = 1001,
	CHECK_FIRST = 8, /* frames before the self-check judges, and after which it stops */
	CHECK_LAST = 256,
	SCAN_BYTES = 512 << 10, /* of code per sample, see code.c */
	EXIT_BYTES = 2 << 20,   /* of code and of tables of its exits per sample */
};

struct v8 *v8_new(struct space *space, struct recording *rec)
{
	struct v8 *v8 = xcalloc(1, sizeof(*v8));

	v8->space = space;
	v8->rec = rec;
	v8->heap.layout = &v8->layout;
	v8->functions = xcalloc(V8_FUNCTIONS, sizeof(*v8->functions));
	v8->scripts = xcalloc(V8_SCRIPTS, sizeof(*v8->scripts));
	v8->codes = xcalloc(V8_CODES, sizeof(*v8->codes));
	v8->positions = xcalloc(V8_POSITIONS, sizeof(*v8->positions));
	v8->bytecodes = xcalloc(V8_BYTECODES, sizeof(*v8->bytecodes));
	v8->maglev = xcalloc(V8_MAGLEV, sizeof(*v8->maglev));
	return v8;
}

void v8_free(struct v8 *v8)
{
	if (!v8)
		return;
	for (size_t i = 0; i < V8_SCRIPTS; i++)
		free(v8->scripts[i].ends);
	free(v8->functions);
	free(v8->scripts);
	free(v8->codes);
	free(v8->positions);
	free(v8->bytecodes);
	free(v8->maglev);
	free(v8);
}

void v8_begin_sample(struct v8 *v8, struct memory *mem)
{
	v8_heap_begin(&v8->heap, mem);
	v8->scan_budget = SCAN_BYTES;
	v8->exit_budget = EXIT_BYTES;
	v8->sample++;
}

void v8_check_frame(struct v8 *v8, const struct v8_function *f, bool tried, bool sound)
{
	struct v8_check *check = &v8->check;

	if (check->frames >= CHECK_LAST)
		return;
	check->frames++;
	check->named += f && f->name && f->script;
	check->positions += tried;
	check->sound += sound;
	if (check->named * 2 < check->frames && check->frames >= CHECK_FIRST) {
		v8->level = V8_NATIVE;
		recording_note(v8->rec,
			       "V8 %d.%d keeps its functions where lagprof does not look: "
			       "JavaScript frames have no names",
			       v8->layout.version / 100, v8->layout.version % 100);
	} else if (check->sound * 2 < check->positions && check->positions >= CHECK_FIRST &&
		   v8->level == V8_LINES) {
		v8->level = V8_FUNCTIONS_ONLY;
		recording_note(v8->rec,
			       "V8 %d.%d keeps its positions where lagprof does not look: lines of "
			       "JavaScript are where the function begins",
			       v8->layout.version / 100, v8->layout.version % 100);
	}
}

/* A V8 in a file of the target. */
struct found {
	struct elf_file *file;
	int32_t version;
	const char *embedder; /* see struct embedder */
};

static bool file_int(struct elf_file *file, const char *symbol, int32_t *value)
{
	struct symbol sym;

	return symbols_find(file, symbol, &sym) &&
	       elf_read_vaddr(file, sym.start, value, sizeof(*value)) == 0;
}

/* A number of a version at *s, which moves behind it and the `end` that must follow. */
static bool parse_number(const char **s, const char *limit, char end, int32_t *number)
{
	const char *p = *s;

	*number = 0;
	while (p < limit && *p >= '0' && *p <= '9' && p - *s < 5)
		*number = *number * 10 + (*p++ - '0');
	if (p == *s || p == limit || *p != end)
		return false;
	*s = p + 1;
	return true;
}

/* Programs that hide or lack V8's symbols: how their files are called, what follows V8's version.
 */
static const struct embedder {
	const char *file, *suffix; /* file NULL: any that exports V8's functions */
	const char *name;          /* of one whose objects lie elsewhere; NULL: Node.js */
} embedders[] = {
	{ "node", "-node.", NULL },
	{ "deno", "-rusty", "Deno" },
	{ NULL, "-electron.", "Electron" }, /* compresses pointers */
};

static bool may_embed(const struct embedder *e, struct elf_file *file, const char *base)
{
	return e->file ? strstr(base, e->file) != NULL
		       : symbols_find(file, "_ZN2v87Isolate10GetCurrentEv", &(struct symbol){ 0 });
}

/* "13.6.233.17" before the `suffix` at p. */
static bool version_before(const char *text, const char *p, const char *limit, int32_t *version)
{
	int32_t major, minor, build, patch;
	const char *s = p;

	while (s > text && (s[-1] == '.' || (s[-1] >= '0' && s[-1] <= '9')))
		s--;
	if (!parse_number(&s, limit, '.', &major) || !parse_number(&s, limit, '.', &minor) ||
	    !parse_number(&s, limit, '.', &build) || !parse_number(&s, limit, '-', &patch))
		return false;
	*version = major * 100 + minor;
	return minor < 100 && major < 100;
}

/* "13.6.233.17-node.53" among the constants of a file without symbols. */
static bool version_from_text(struct elf_file *file, const char *suffix, int32_t *version)
{
	size_t size;
	char *text = (char *)elf_section(file, ".rodata", RODATA_MAX, &size, &(uint64_t){ 0 });
	const char *limit = text + size, *p = text;
	bool found = false;

	while (text && !found && (p = memmem(p, (size_t)(limit - p), suffix, strlen(suffix)))) {
		found = version_before(text, p, limit, version);
		p++;
	}
	free(text);
	return found;
}

/* False if the file holds no V8. */
static bool find_version(struct elf_file *file, const char *path, struct found *found)
{
	const char *base = strrchr(path, '/');
	int32_t major, minor;

	if (file->size < FILE_MIN)
		return false;
	if (file_int(file, "_ZN2v88internal7Version6major_E", &major) &&
	    file_int(file, "_ZN2v88internal7Version6minor_E", &minor) && major > 0 && major < 100 &&
	    minor >= 0 && minor < 100) {
		found->version = major * 100 + minor;
		return true;
	}
	for (size_t i = 0; base && i < sizeof(embedders) / sizeof(embedders[0]); i++) {
		if (may_embed(&embedders[i], file, base + 1) &&
		    version_from_text(file, embedders[i].suffix, &found->version)) {
			found->embedder = embedders[i].name;
			return true;
		}
	}
	return false;
}

static bool find_file(struct space *space, struct found *found)
{
	size_t n;
	const struct mapping *maps = space_mappings(space, &n);
	struct elf_file *last = NULL;

	for (size_t i = 0; i < n; i++) {
		struct mapping *m = space_find(space, maps[i].start);
		struct elf_file *file = m && m->exec && !m->anon ? space_file(space, m) : NULL;

		if (!file || file == last)
			continue;
		found->file = file;
		if (find_version(file, m->path, found))
			return true;
		last = file;
	}
	return false;
}

/* The code of V8's builtins, which has no unwind information and no frames of C++. */
static void find_builtins(struct v8 *v8)
{
	struct symbol code;
	int32_t size;

	/* Before V8 10.9 the name without "data" is that of a pointer to it. */
	if ((symbols_find(v8->file, "v8_Default_embedded_blob_code_data_", &code) ||
	     symbols_find(v8->file, "v8_Default_embedded_blob_code_", &code)) &&
	    file_int(v8->file, "v8_Default_embedded_blob_code_size_", &size) && size > 0) {
		v8->blob_start = code.start;
		v8->blob_end = code.start + (uint64_t)size;
	}
}

/* Node keeps its version in node::per_process::metadata, which begins with a std::string. */
static const char *node_version(struct v8 *v8, struct memory *mem)
{
	struct symbol sym;
	size_t n;
	const struct mapping *maps = space_mappings(v8->space, &n);
	char version[32];
	uint64_t text;

	if (!symbols_find(v8->file, "_ZN4node11per_process8metadataE", &sym))
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (maps[i].file != v8->file || !maps[i].exec)
			continue;
		if (memory_read_u64(mem, sym.start + maps[i].bias, &text) == 0 &&
		    memory_read_string(mem, text, version, sizeof(version)) > 0 &&
		    strspn(version, "0123456789.") >= 5)
			return v8_intern(v8, version);
	}
	return NULL;
}

static int check_supported(const struct found *found, struct error *err)
{
	int32_t tagged, version = found->version;

	if (found->embedder)
		return error_set(err, -ENOTSUP,
				 "V8 %d.%d of %s is not laid out as Node.js has it: JavaScript "
				 "frames have no names",
				 version / 100, version % 100, found->embedder);
	if (version < OLDEST)
		return error_set(
			err, -ENOTSUP,
			"V8 %d.%d is older than 10.1 (Node 18): JavaScript frames have no names",
			version / 100, version % 100);
	if (v8_constant(found->file, "TaggedSize", &tagged) && tagged != 8)
		return error_set(err, -ENOTSUP,
				 "this V8 compresses pointers: JavaScript frames have no names");
	return 0;
}

static int attach(const struct runtime_target *t, void **state, struct error *err)
{
	struct found found = { 0 };
	struct v8 *v8;
	int rc;

	if (!find_file(t->space, &found))
		return 0;
	rc = check_supported(&found, err);
	if (rc < 0)
		return rc;
	v8 = v8_new(t->space, t->rec);
	v8->file = found.file;
	v8->guessed = !v8_layout_find(&v8->layout, found.version, found.file);
	if (v8->guessed)
		recording_note(t->rec,
			       "V8 %d.%d was never measured: its JavaScript frames are read "
			       "as those of the version before it",
			       found.version / 100, found.version % 100);
	find_builtins(v8);
	v8->version = node_version(v8, t->mem);
	*state = v8;
	return 1;
}

static void detach(void *state)
{
	v8_free(state);
}

static const char *version_of(void *state)
{
	const struct v8 *v8 = state;

	return v8->version;
}

const struct runtime runtime_v8 = {
	.name = "v8",
	.attach = attach,
	.detach = detach,
	.version = version_of,
	.name_frame = v8_name_frame,
	.arguments = v8_arguments,
};
