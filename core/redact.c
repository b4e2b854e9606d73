#include "core/redact.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/names.h"

#define HIDDEN "[hidden]"
/* What the project's folder is called. */
#define PROJECT "/app"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"

enum alias_kind {
	ALIAS_FOLDER,
	ALIAS_FILE,
	ALIAS_HOST,
	ALIAS_ARGUMENTS,
	ALIAS_REQUEST,
	ALIAS_TEXT
};

static const char *const alias_nouns[] = {
	[ALIAS_FOLDER] = "dir",          [ALIAS_FILE] = "file",       [ALIAS_HOST] = "host",
	[ALIAS_ARGUMENTS] = "arguments", [ALIAS_REQUEST] = "request", [ALIAS_TEXT] = "text",
};
enum { ALIAS_KINDS = sizeof(alias_nouns) / sizeof(alias_nouns[0]) };

/* What an interned text is called instead. */
struct alias {
	const char *from, *to; /* NULL: a free slot */
	enum alias_kind kind;
};

struct redactor {
	struct recording *rec;
	struct alias *aliases; /* open addressing, power of two */
	size_t cap, n;
	size_t given[ALIAS_KINDS];
	const char *project; /* its folder; NULL unknown */
	size_t project_len;
};

static const char *intern(struct redactor *r, struct strbuf *b)
{
	const char *s = recording_intern(r->rec, b->s ? b->s : "");

	strbuf_destroy(b);
	return s;
}

static struct alias *alias_slot(struct redactor *r, enum alias_kind kind, const char *from)
{
	const uint64_t words[] = { (uintptr_t)from, kind };
	size_t at = hash_bytes(0, words, sizeof(words)) & (r->cap - 1);

	while (r->aliases[at].from && (r->aliases[at].from != from || r->aliases[at].kind != kind))
		at = (at + 1) & (r->cap - 1);
	return &r->aliases[at];
}

static void grow_aliases(struct redactor *r)
{
	struct alias *old = r->aliases;
	size_t cap = r->cap;

	r->cap = cap ? cap * 2 : 256;
	r->aliases = xcalloc(r->cap, sizeof(*r->aliases));
	for (size_t i = 0; i < cap; i++)
		if (old[i].from)
			*alias_slot(r, old[i].kind, old[i].from) = old[i];
	free(old);
}

/* The name that stands for the first len bytes of text. */
static const char *alias_n(struct redactor *r, enum alias_kind kind, const char *text, size_t len)
{
	const char *from = strings_intern_n(&r->rec->strings, &r->rec->arena, text, len);
	struct strbuf name = { 0 };
	struct alias *slot;

	if (r->n >= r->cap / 2)
		grow_aliases(r);
	slot = alias_slot(r, kind, from);
	if (!slot->from) {
		strbuf_printf(&name, kind == ALIAS_FOLDER ? "/%s%zu" : "[%s %zu]",
			      alias_nouns[kind], ++r->given[kind]);
		*slot = (struct alias){ from, intern(r, &name), kind };
		r->n++;
	}
	return slot->to;
}

static const char *alias(struct redactor *r, enum alias_kind kind, const char *text)
{
	return alias_n(r, kind, text, strlen(text));
}

static bool made_of(const char *s, const char *characters)
{
	return s[0] && s[strspn(s, characters)] == '\0';
}

/* Folders that are the same on many machines. */
static const char *const system_folders[] = {
	"/usr/bin/",       "/usr/sbin/",       "/usr/lib",       "/usr/share/", "/usr/include/",
	"/usr/local/bin/", "/usr/local/lib",   "/lib",           "/bin/",       "/sbin/",
	"/dev/",           "/proc/",           "/sys/",          "/nix/store/", "/snap/",
	"/etc/ssl/",       "/etc/resolv.conf", "/etc/nsswitch.", "/etc/hosts",
};

static bool is_system(const char *path)
{
	for (size_t i = 0; i < sizeof(system_folders) / sizeof(system_folders[0]); i++)
		if (strncmp(path, system_folders[i], strlen(system_folders[i])) == 0)
			return true;
	return false;
}

/* Is it a folder that only a project can be in? */
static bool is_project(const char *folder, size_t len)
{
	if (len < 2 || folder[0] != '/' || (len == 5 && strncmp(folder, "/home", len) == 0))
		return false;
	for (size_t i = 0; i < sizeof(system_folders) / sizeof(system_folders[0]); i++)
		if (strncmp(folder, system_folders[i], len) == 0 && system_folders[i][len] == '/')
			return false;
	return true;
}

static bool is_script(const char *word)
{
	static const char *const suffixes[] = {
		".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".py"
	};
	const char *dot = strrchr(word, '.');

	if (!dot || !made_of(word, LETTERS DIGITS "_-./@+"))
		return false;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (strcmp(dot, suffixes[i]) == 0)
			return true;
	return false;
}

/* The main script's place in argv, 0 if there is none. */
static uint32_t find_script(const struct target_info *t)
{
	for (uint32_t i = 1; i < t->argc; i++)
		if (t->argv[i][0] != '-')
			return is_script(t->argv[i]) ? i : 0;
	return 0;
}

/* The working directory or, of services that have none, where the script lies. */
static void find_project(struct redactor *r)
{
	const struct target_info *t = &r->rec->target;
	const char *folder = t->cwd;
	size_t len = folder ? strlen(folder) : 0;
	uint32_t script = find_script(t);

	if (!is_project(folder, len) && script) {
		folder = t->argv[script];
		len = (size_t)(path_base(folder) - folder);
		len -= len > 0;
	}
	if (is_project(folder, len)) {
		r->project = folder;
		r->project_len = len;
	}
}

/* How much of an absolute path says where it is installed and not what it is. */
static size_t outer_folder(const char *path)
{
	static const char *const installed[] = { "/node_modules/", "/site-packages/",
						 "/dist-packages/" };

	for (size_t i = 0; i < sizeof(installed) / sizeof(installed[0]); i++) {
		const char *found = strstr(path, installed[i]);

		if (found)
			return (size_t)(found - path);
	}
	return (size_t)(path_base(path) - path) - 1;
}

/* The path of code: as it lies in its project, package or folder, wherever that is. */
static const char *redact_code(struct redactor *r, const char *path)
{
	struct strbuf b = { 0 };
	size_t folder;

	if (!path)
		return NULL;
	if (strncmp(path, "file://", 7) == 0)
		path += 7;
	if (path[0] != '/')
		return !strchr(path, ':') || strncmp(path, "node:", 5) == 0
			       ? recording_intern(r->rec, path)
			       : alias(r, ALIAS_TEXT, path);
	if (r->project && strncmp(path, r->project, r->project_len) == 0 &&
	    strchr("/", path[r->project_len])) {
		strbuf_puts(&b, PROJECT);
		strbuf_puts(&b, path + r->project_len);
		return intern(r, &b);
	}
	if (is_system(path))
		return recording_intern(r->rec, path);
	folder = outer_folder(path);
	if (folder)
		strbuf_puts(&b, alias_n(r, ALIAS_FOLDER, path, folder));
	strbuf_puts(&b, path + folder);
	return intern(r, &b);
}

/* The path of what the code worked on. */
static const char *redact_data(struct redactor *r, const char *path)
{
	return is_system(path) ? path : alias(r, ALIAS_FILE, path);
}

static bool is_absolute(const char *word, size_t len)
{
	return len > 1 && word[0] == '/' && word[1] != '/' && word[1] != '=';
}

static bool has_scheme(const char *word, size_t len)
{
	for (size_t i = 1; i + 2 < len; i++)
		if (memcmp(word + i, "://", 3) == 0)
			return true;
	return false;
}

/* What is between two separators of a sentence. */
static void put_word(struct redactor *r, struct strbuf *b, const char *word, size_t len)
{
	if (is_absolute(word, len))
		strbuf_puts(b, redact_code(r, strings_intern_n(&r->rec->strings, &r->rec->arena,
							       word, len)));
	else if (has_scheme(word, len))
		strbuf_puts(b, alias_n(r, ALIAS_TEXT, word, len));
	else
		strbuf_add(b, word, len);
}

/* A sentence or a name in which paths and URLs may be. */
static const char *redact_words(struct redactor *r, const char *s)
{
	static const char separators[] = " \t\n\"'`(),;<>[]{}";
	struct strbuf b = { 0 };

	if (!s || !strchr(s, '/'))
		return s;
	while (*s) {
		size_t len = strcspn(s, separators), gap = strspn(s + len, separators);

		put_word(r, &b, s, len);
		strbuf_add(&b, s + len, gap);
		s += len + gap;
	}
	return intern(r, &b);
}

/* first, if it is made of those characters only, and that there was more. */
static const char *keep_first(struct redactor *r, const char *s, const char *characters,
			      const char *rest)
{
	size_t len = strcspn(s, " ");
	struct strbuf b = { 0 };

	strbuf_add(&b, s, len);
	if (!made_of(b.s ? b.s : "", characters))
		b.len = 0;
	if (b.len == len && !s[len])
		return intern(r, &b);
	if (b.len)
		strbuf_puts(&b, " ");
	strbuf_puts(&b, rest);
	return intern(r, &b);
}

/* "git [arguments 1]". */
static const char *redact_command(struct redactor *r, const char *s)
{
	const char *rest = alias(r, ALIAS_ARGUMENTS, s), *space = strchr(s, ' ');

	for (const char *p = s; *p && (!space || p < space); p++)
		if (*p == '/')
			s = p + 1;
	return keep_first(r, s, LETTERS DIGITS "_-.+", rest);
}

/* "GET [request 1]". */
static const char *redact_request(struct redactor *r, const char *s)
{
	return s ? keep_first(r, s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", alias(r, ALIAS_REQUEST, s))
		 : NULL;
}

/* A name that programmers choose from a few: of a digest, of flags. */
static const char *redact_choice(struct redactor *r, const char *s)
{
	return strlen(s) <= 24 && made_of(s, LETTERS DIGITS "-_/.") ? s : alias(r, ALIAS_TEXT, s);
}

static const char *redact_module(struct redactor *r, const char *s)
{
	return made_of(s, LETTERS DIGITS "_-./@+:") ? redact_code(r, s) : alias(r, ALIAS_TEXT, s);
}

static const char *redact_text(struct redactor *r, enum argument_key key, const char *s)
{
	switch (key) {
	case ARG_PATTERN: /* the code itself */
		return s;
	case ARG_DIGEST:
	case ARG_FLAGS:
	case ARG_GC_KIND:
		return redact_choice(r, s);
	case ARG_MODULE:
		return redact_module(r, s);
	case ARG_PATH:
	case ARG_DESCRIPTOR:
		return redact_data(r, s);
	case ARG_COMMAND:
		return redact_command(r, s);
	case ARG_HOST:
	case ARG_PEER:
		return alias(r, ALIAS_HOST, s);
	default:
		return alias(r, ALIAS_TEXT, s);
	}
}

/* Neighbours share their arguments. */
static void redact_samples(struct redactor *r)
{
	const struct argument *from = NULL;
	struct argument *to = NULL;

	for (size_t i = 0; i < r->rec->n_samples; i++) {
		struct sample *s = &r->rec->samples[i];

		if (!s->n_arguments)
			continue;
		if (s->arguments != from) {
			from = s->arguments;
			to = arena_alloc(&r->rec->arena, s->n_arguments * sizeof(*to));
			memcpy(to, from, s->n_arguments * sizeof(*to));
			for (size_t j = 0; j < s->n_arguments; j++)
				if (to[j].text && to[j].text[0])
					to[j].text = redact_text(r, to[j].key, to[j].text);
		}
		s->arguments = to;
	}
}

/* "--port", "--token=[hidden]", "-p[hidden]". */
static const char *redact_option(struct redactor *r, const char *word)
{
	size_t len = word[1] == '-' ? strcspn(word, "=") : strnlen(word, 2);
	struct strbuf b = { 0 };

	strbuf_add(&b, word, len);
	if (!made_of(b.s, LETTERS DIGITS "-_.")) {
		strbuf_destroy(&b);
		return recording_intern(r->rec, HIDDEN);
	}
	if (word[len])
		strbuf_puts(&b, word[len] == '=' ? "=" HIDDEN : HIDDEN);
	return intern(r, &b);
}

/* Some programs write what they do into their first word. */
static const char *redact_program(struct redactor *r, const char *s)
{
	if (s[0] == '/')
		s = redact_code(r, s);
	return keep_first(r, s, LETTERS DIGITS "_-./@+:", HIDDEN);
}

static void redact_target(struct redactor *r, struct target_info *t)
{
	uint32_t script = find_script(t);
	const char **argv = arena_alloc(&r->rec->arena, (t->argc + 1) * sizeof(*argv));

	for (uint32_t i = 0; i < t->argc; i++) {
		if (i == 0)
			argv[i] = redact_program(r, t->argv[i]);
		else if (i == script)
			argv[i] = redact_code(r, t->argv[i]);
		else if (t->argv[i][0] == '-')
			argv[i] = redact_option(r, t->argv[i]);
		else
			argv[i] = recording_intern(r->rec, HIDDEN);
	}
	t->argv = argv;
	t->exe = redact_code(r, t->exe);
	t->cwd = redact_code(r, t->cwd);
}

/* Their index is of no use any more: no frame may be added later. */
static void redact_frames(struct redactor *r)
{
	for (size_t i = 0; i < r->rec->stacks.n_frames; i++) {
		struct frame *f = &r->rec->stacks.frames[i];

		f->function = redact_words(r, f->function);
		f->module = redact_code(r, f->module);
		f->file = redact_code(r, f->file);
	}
}

void recording_redact(struct recording *rec)
{
	struct redactor r = { .rec = rec };

	find_project(&r);
	redact_frames(&r);
	redact_samples(&r);
	for (size_t i = 0; i < rec->n_calls; i++)
		if (rec->calls[i].text && rec->calls[i].text[0])
			rec->calls[i].text = redact_text(&r, rec->calls[i].key, rec->calls[i].text);
	for (size_t i = 0; i < rec->n_stalls; i++) {
		struct stall *stall = &rec->stalls[i];

		stall->request = redact_request(&r, stall->request);
		stall->peer = stall->peer ? alias(&r, ALIAS_HOST, stall->peer) : NULL;
	}
	for (size_t i = 0; i < rec->n_loops; i++)
		if (rec->loops[i]->name)
			rec->loops[i]->name = keep_first(&r, rec->loops[i]->name,
							 LETTERS DIGITS "_-.+:/", HIDDEN);
	if (rec->threadpool.lookup_host[0])
		snprintf(rec->threadpool.lookup_host, sizeof(rec->threadpool.lookup_host), "%s",
			 alias(&r, ALIAS_HOST, rec->threadpool.lookup_host));
	for (uint32_t i = 0; i < rec->host.n_neighbours; i++)
		if (rec->host.neighbours[i].name)
			rec->host.neighbours[i].name =
				alias(&r, ALIAS_TEXT, rec->host.neighbours[i].name);
	for (size_t i = 0; i < rec->n_notes; i++)
		rec->notes[i] = redact_words(&r, rec->notes[i]);
	redact_target(&r, &rec->target);
	for (size_t i = 0; i < rec->n_processes; i++)
		redact_target(&r, rec->processes[i]);
	recording_note(rec, "Arguments, folders, hosts, requests and names of data are hidden "
			    "(--redact).");
	free(r.aliases);
}
