#include <string.h>

#include "sampler/runtimes/v8/v8.h"
#include "sampler/symbols.h"

enum {
	FRAME_BYTES_MAX = 1 << 20,
	MARKER_MAX = 128,   /* twice the largest frame type, and some */
	CALLER_WORDS = 512, /* searched for a return address under a frameless builtin */
	DW_R9 = 9,
	DW_R12 = 12,
};

enum where { WHERE_NATIVE, WHERE_BUILTIN, WHERE_JIT };

/* One raw frame on its way to names. */
struct walk {
	struct v8 *v8;
	const struct raw_stack *stack;
	const struct raw_frame *frame;
	size_t i;
	bool leaf;
	struct frame *out;
	size_t n;
};

/* Is the vaddr of V8's file in its embedded builtins?  Unknown range: as the unwinder left it. */
static bool in_builtins(const struct v8 *v8, const struct raw_stack *stack, size_t i,
			uint64_t vaddr)
{
	if (v8->blob_start)
		return vaddr >= v8->blob_start && vaddr < v8->blob_end;
	return i + 1 < stack->n && stack->frames[i + 1].how == HOW_FP;
}

static enum where where_of(struct v8 *v8, const struct raw_stack *stack, size_t i, uint64_t pc)
{
	struct mapping *m = space_find(v8->space, pc);

	if (!m || !m->exec || strncmp(m->path, "[v", 2) == 0)
		return WHERE_NATIVE;
	if (m->anon)
		return WHERE_JIT;
	if (space_file(v8->space, m) != v8->file || !in_builtins(v8, stack, i, pc - m->bias))
		return WHERE_NATIVE;
	return WHERE_BUILTIN;
}

static bool read_slot(struct walk *w, int32_t offset, uint64_t *word)
{
	return v8_read(&w->v8->heap, w->frame->fp + (uint64_t)(int64_t)offset, word, sizeof(*word));
}

/* The type of a frame that carries a marker, -1 if it is a JavaScript function's. */
static int frame_type(struct walk *w)
{
	uint64_t word;

	if (!read_slot(w, -8, &word))
		return -2;
	return word & 1 || word >= MARKER_MAX ? -1 : (int)(word >> 1);
}

static void append(struct walk *w, struct frame frame)
{
	if (w->n < RUNTIME_MAX_INLINED)
		w->out[w->n++] = frame;
}

/* Appends a frame of function f; position -1: only the function is known. */
static void emit(struct walk *w, const struct v8_function *f, int32_t position, bool inlined)
{
	bool sound =
		position >= 0 && (f->start < 0 || (position >= f->start && position <= f->end));
	struct v8_place place = { f->define_line, 0 };

	if (sound && w->v8->level == V8_LINES)
		place = v8_place_of(w->v8, f, position);
	append(w, (struct frame){ .kind = FRAME_JS,
				  .function = f->name,
				  .file = f->file,
				  .line = place.line,
				  .column = place.column,
				  .define_line = f->define_line,
				  .inlined = inlined });
	v8_check_frame(w->v8, f, position >= 0, sound);
}

static void emit_native(struct walk *w, enum frame_kind kind, const char *function)
{
	append(w, (struct frame){ .kind = kind, .function = v8_intern(w->v8, function) });
}

/* The symbol of the builtin that runs at pc, without its prefix; false without symbols. */
static bool builtin_symbol(struct v8 *v8, uint64_t pc, struct symbol *sym, struct mapping **m)
{
	*m = space_find(v8->space, pc);
	return *m && v8->file && symbols_lookup(v8->file, pc - (*m)->bias, sym) &&
	       strncmp(sym->name, "Builtins_", 9) == 0;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n >= k && strcmp(s + n - k, end) == 0;
}

/* Bytecode handlers and the interpreter's own code are not worth a frame of their own. */
static bool is_interpreter(const char *builtin)
{
	return ends_with(builtin, "Handler") || strncmp(builtin, "Builtins_Interpreter", 20) == 0 ||
	       strncmp(builtin, "Builtins_Baseline", 17) == 0;
}

static void emit_builtin(struct walk *w, const struct symbol *sym, const struct mapping *m,
			 uint64_t pc)
{
	append(w, (struct frame){ .kind = FRAME_NATIVE,
				  .function = v8_intern(w->v8, sym->name),
				  .module = v8_intern(w->v8, m->path),
				  .build_id = v8_intern(w->v8, w->v8->file->build_id),
				  .address = pc - m->bias });
}

/* The offset in the source that bytecode `offset` of a BytecodeArray stands for, -1 unknown. */
static int32_t bytecode_position(struct v8 *v8, uint64_t array, int64_t offset)
{
	struct v8_position position;
	uint64_t table;

	if (!v8_field(&v8->heap, array, v8->layout.bytecode_positions, &table) ||
	    !v8_position_at(v8, table, offset, &position))
		return -1;
	return position.offset;
}

/* Which bytecode an interpreted frame is at, -1 unknown. */
static int64_t bytecode_offset(struct walk *w, uint64_t array)
{
	const struct v8_layout *layout = &w->v8->layout;
	const struct regs *regs = &w->stack->regs;
	int64_t first = layout->bytecode_data - 1, offset;
	uint32_t both = 1u << DW_R9 | 1u << DW_R12;
	uint64_t slot;
	int32_t length;

	if (!v8_field_smi(&w->v8->heap, array, layout->bytecode_length, &length) ||
	    !read_slot(w, layout->fp_bytecode_offset, &slot))
		return -1;
	/* In a handler the register is newer than the slot, which is written before calls only. */
	if (w->leaf && (regs->valid & both) == both && regs->r[DW_R12] == array) {
		offset = (int64_t)regs->r[DW_R9] - first;
		if (offset >= 0 && offset < length)
			return offset;
	}
	offset = v8_is_smi(slot) ? v8_smi(slot) - first : -1;
	return offset < length ? offset : -1;
}

static void emit_interpreted(struct walk *w, const struct v8_function *f)
{
	int32_t position = -1;
	uint64_t array;
	int64_t offset;

	if (read_slot(w, w->v8->layout.fp_bytecode_array, &array) &&
	    v8_type(&w->v8->heap, array) == w->v8->layout.type_bytecode_array) {
		offset = bytecode_offset(w, array);
		if (offset >= 0)
			position = bytecode_position(w->v8, array, offset);
	}
	emit(w, f, position, false);
}

static bool read_bytes(struct v8 *v8, uint64_t object, int32_t data, uint32_t len, uint8_t *buf)
{
	return v8_read(&v8->heap, object - 1 + (uint64_t)data, buf, len);
}

enum { BASELINE_MAX = 32 << 10 };

/* Source position of baseline code: through its table to the bytecode, and from there. */
static int32_t baseline_position(struct v8 *v8, const struct v8_code *code, uint64_t pc)
{
	uint64_t array = v8_moved(&v8->heap, code->deopt);
	uint64_t table = v8_moved(&v8->heap, code->positions);
	uint8_t table_bytes[BASELINE_MAX], bytecodes[BASELINE_MAX];
	uint32_t table_len = v8_array_length(&v8->heap, table);
	int64_t offset;
	int32_t len;

	if (!v8->layout.bytecodes[0] ||
	    v8_type(&v8->heap, array) != v8->layout.type_bytecode_array ||
	    !v8_field_smi(&v8->heap, array, v8->layout.bytecode_length, &len) || len <= 0 ||
	    len > BASELINE_MAX || table_len == 0 || table_len > BASELINE_MAX ||
	    !read_bytes(v8, table, v8->layout.array_data, table_len, table_bytes) ||
	    !read_bytes(v8, array, v8->layout.bytecode_data, (uint32_t)len, bytecodes) ||
	    !v8_baseline_find((struct v8_bytes){ table_bytes, table_len },
			      (struct v8_bytes){ bytecodes, (size_t)len }, v8->layout.bytecodes,
			      pc - code->start, &offset))
		return -1;
	return bytecode_position(v8, array, offset < 0 ? 0 : offset);
}

/* The function that optimized code was made for. */
static bool optimized_function(struct v8 *v8, const struct v8_code *code, struct v8_function *f)
{
	const struct v8_layout *layout = &v8->layout;
	uint64_t deopt = v8_moved(&v8->heap, code->deopt), shared;

	return deopt && v8_element(&v8->heap, deopt, (uint32_t)layout->deopt_shared, &shared) &&
	       (layout->wrapper_shared < 0 ||
		v8_field_object(&v8->heap, shared, layout->wrapper_shared, &shared)) &&
	       v8_function_of(v8, shared, f);
}

/*
 * One entry of the table of inlining positions: where the inlined function was
 * called, and which function it is.
 */
static bool inlined_function(struct v8 *v8, const struct v8_code *code, uint32_t inlining,
			     struct v8_position *call, struct v8_function *f)
{
	const struct v8_layout *layout = &v8->layout;
	uint64_t deopt = v8_moved(&v8->heap, code->deopt), table, literals, shared;
	struct {
		uint64_t position;
		int32_t function, unused;
	} entry;

	if (!deopt || !v8_element(&v8->heap, deopt, (uint32_t)layout->deopt_inlining, &table) ||
	    !v8_element(&v8->heap, deopt, (uint32_t)layout->deopt_literals, &literals))
		return false;
	table = v8_moved(&v8->heap, table);
	literals = v8_moved(&v8->heap, literals);
	if (!table || !literals || inlining * sizeof(entry) > v8_array_length(&v8->heap, table) ||
	    !v8_read(&v8->heap,
		     table - 1 + (uint64_t)layout->array_data + (inlining - 1) * sizeof(entry),
		     &entry, sizeof(entry)))
		return false;
	*call = v8_position_of(entry.position);
	if (entry.function < 0)
		return optimized_function(v8, code, f);
	return (uint32_t)entry.function < v8_array_length(&v8->heap, literals) &&
	       v8_element(&v8->heap, literals, (uint32_t)entry.function, &shared) &&
	       v8_function_of(v8, shared, f);
}

static bool emit_optimized(struct walk *w, const struct v8_code *code, uint64_t pc,
			   struct v8_function *outer)
{
	struct v8_position position = { .offset = -1 };
	struct v8_function f;

	if (!optimized_function(w->v8, code, outer))
		return false;
	if (!v8_position_at(w->v8, code->positions, (int64_t)(pc - code->start), &position))
		position = (struct v8_position){ .offset = -1 };
	while (position.inlining && w->n < RUNTIME_MAX_INLINED - 2) {
		struct v8_position call;

		if (!inlined_function(w->v8, code, position.inlining, &call, &f))
			break;
		emit(w, &f, position.offset, true);
		/* Calls nest inwards: a table in which they do not is garbage. */
		if (call.inlining >= position.inlining)
			call.inlining = 0;
		position = call;
	}
	emit(w, outer, position.offset, false);
	return true;
}

/* The function of the frame at fp, by its slot. */
static bool slot_function(struct walk *w, struct v8_function *f)
{
	uint64_t function, shared;

	if (!read_slot(w, w->v8->layout.fp_function, &function))
		return false;
	shared = v8_shared_of(w->v8, function);
	return shared && v8_function_of(w->v8, shared, f);
}

/* Appends the frames of compiled code at pc; *f becomes its (outer) function. */
static bool emit_compiled(struct walk *w, const struct v8_code *code, uint64_t pc,
			  struct v8_function *f)
{
	int32_t tier = code->kind - w->v8->layout.kind_baseline;

	if (tier == 1 || tier == 2)
		return emit_optimized(w, code, pc, f);
	if (tier == 0 && slot_function(w, f)) {
		emit(w, f, baseline_position(w->v8, code, pc), false);
		return true;
	}
	/* With --interpreted-frames-native-stack the interpreter is copied for each function. */
	if (tier == -1 && slot_function(w, f)) {
		emit_interpreted(w, f);
		return true;
	}
	return false;
}

/*
 * A builtin that made no frame of its own over compiled code of f: its return
 * address is the first one between sp and fp that lies in code of f.
 */
static bool find_caller(struct walk *w, const struct v8_function *f, struct v8_code *code,
			uint64_t *pc)
{
	uint64_t words[CALLER_WORDS];
	size_t n = (w->frame->fp - w->frame->sp) / 8;

	if (n > CALLER_WORDS)
		n = CALLER_WORDS;
	if (n == 0 || !v8_read(&w->v8->heap, w->frame->sp, words, n * 8))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct v8_function g;
		int32_t tier;

		if (words[i] < 4096 || words[i] >> 47 ||
		    where_of(w->v8, w->stack, w->i, words[i] - 1) != WHERE_JIT ||
		    !v8_code_find(w->v8, words[i] - 1, code))
			continue;
		tier = code->kind - w->v8->layout.kind_baseline;
		if (tier == 0 || ((tier == 1 || tier == 2) && optimized_function(w->v8, code, &g) &&
				  g.shared == f->shared)) {
			*pc = words[i] - 1;
			return true;
		}
	}
	return false;
}

/* A frame whose pc is in a builtin but whose fp is that of a user's function. */
static void emit_under_builtin(struct walk *w, struct v8_function *f)
{
	uint64_t pc = raw_frame_lookup_pc(w->frame), caller;
	struct v8_code code;
	struct mapping *m;
	struct symbol sym;
	bool named = builtin_symbol(w->v8, pc, &sym, &m);

	if (named && is_interpreter(sym.name)) {
		emit_interpreted(w, f);
		return;
	}
	if (named)
		emit_builtin(w, &sym, m, pc);
	if (!find_caller(w, f, &code, &caller) || !emit_compiled(w, &code, caller, f))
		emit_interpreted(w, f);
}

/* A builtin that has a frame of its own; receiver_slot: where its receiver is. */
static void emit_js_builtin(struct walk *w, const struct v8_function *f, int32_t receiver_slot)
{
	uint64_t receiver = 0;

	read_slot(w, receiver_slot, &receiver);
	append(w,
	       (struct frame){ .kind = FRAME_JS,
			       .file = f->file,
			       .function = v8_builtin_name(w->v8, f, w->stack, w->i, receiver) });
}

/* The frame between JavaScript and a builtin or an API function written in C++. */
static size_t name_builtin_exit(struct walk *w)
{
	struct v8_function *f = &w->v8->frame_function[w->i];
	uint64_t target, shared;

	if (!read_slot(w, w->v8->layout.fp_builtin_target, &target))
		return 0;
	shared = v8_shared_of(w->v8, target);
	if (!shared || !v8_function_of(w->v8, shared, f))
		return 0;
	emit_js_builtin(w, f, w->v8->layout.fp_builtin_receiver);
	return w->n;
}

static size_t name_builtin(struct walk *w)
{
	struct v8_function *f = &w->v8->frame_function[w->i];
	int type = frame_type(w);

	if (type == w->v8->layout.frame_builtin_exit)
		return name_builtin_exit(w);
	if (type != -1 || !slot_function(w, f))
		return 0;
	/* The unwinder saw that the builtin made no frame: the caller comes next. */
	if (w->i + 1 < w->stack->n && w->stack->frames[w->i + 1].fp == w->frame->fp) {
		f->shared = 0;
		return 0;
	}
	if (f->script)
		emit_under_builtin(w, f);
	else
		emit_js_builtin(w, f, w->v8->layout.fp_receiver);
	return w->n;
}

/* Appends the caller of a leaf that has not made its frame yet, or has left it already. */
static void emit_lost_caller(struct walk *w, const struct v8_function *callee)
{
	struct v8_function f;
	struct v8_code code;
	uint64_t words[2];

	if (!w->leaf || !slot_function(w, &f) || f.shared == callee->shared || !f.script ||
	    (w->i + 1 < w->stack->n && w->stack->frames[w->i + 1].fp == w->frame->fp) ||
	    !v8_read(&w->v8->heap, w->frame->sp, words, sizeof(words)))
		return;
	for (size_t i = 0; i < 2; i++) {
		enum where where = where_of(w->v8, w->stack, w->i, words[i] - 1);

		if (where == WHERE_JIT && v8_code_find(w->v8, words[i] - 1, &code) &&
		    emit_compiled(w, &code, words[i] - 1, &f))
			return;
		if (where == WHERE_BUILTIN) {
			w->leaf = false;
			emit_interpreted(w, &f);
			return;
		}
	}
}

static size_t name_jit(struct walk *w)
{
	struct v8_function *f = &w->v8->frame_function[w->i];
	uint64_t pc = raw_frame_lookup_pc(w->frame);
	int type = frame_type(w);
	struct v8_code code;

	if (type >= 0 && type == w->v8->layout.frame_wasm) {
		emit_native(w, FRAME_JIT, "(wasm)");
		return w->n;
	}
	if (v8_code_find(w->v8, pc, &code)) {
		if (code.kind == w->v8->layout.kind_regexp)
			emit_native(w, FRAME_JIT, "(regexp)");
		else if (emit_compiled(w, &code, pc, f))
			emit_lost_caller(w, f);
	} else if (type >= 0 && type == w->v8->layout.frame_irregexp) {
		emit_native(w, FRAME_JIT, "(regexp)");
	} else if (type == -1 && slot_function(w, f)) {
		emit(w, f, -1, false);
	}
	return w->n;
}

size_t v8_name_frame(void *state, const struct raw_stack *stack, size_t i, struct memory *mem,
		     struct frame *out)
{
	struct v8 *v8 = state;
	const struct raw_frame *frame = &stack->frames[i];
	struct walk w = { .v8 = v8,
			  .stack = stack,
			  .frame = frame,
			  .i = i,
			  .out = out,
			  .leaf = frame->how == HOW_LEAF };

	if (i == 0)
		v8_begin_sample(v8, mem);
	v8->frame_function[i].shared = 0;
	if (v8->level == V8_NATIVE || frame->fp % 8 || frame->fp < frame->sp ||
	    frame->fp - frame->sp > FRAME_BYTES_MAX)
		return 0;
	switch (where_of(v8, stack, i, raw_frame_lookup_pc(frame))) {
	case WHERE_BUILTIN:
		return name_builtin(&w);
	case WHERE_JIT:
		return name_jit(&w);
	default:
		return 0;
	}
}
