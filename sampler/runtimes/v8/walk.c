#include <string.h>

#include "sampler/runtimes/v8/v8.h"
#include "sampler/symbols.h"

enum {
	FRAME_BYTES_MAX = 1 << 20,
	MARKER_MAX = 128,   /* twice the largest frame type, and some */
	CALLER_WORDS = 512, /* searched for a return address under a frameless builtin */
	DW_RDI = 5,
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

/* A leaf that has just begun its frame has not written all of it: what lies there is older. */
static bool read_slot(struct walk *w, int32_t offset, uint64_t *word)
{
	if (w->leaf && offset < 0 && w->frame->fp + (uint64_t)(int64_t)offset < w->frame->sp)
		return false;
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

/* Appends a frame of function f, at an offset of its source or one of V8_AT_ENTRY... */
static void emit(struct walk *w, const struct v8_function *f, int32_t position, bool inlined)
{
	bool tried = position != V8_UNTRIED, sound = position >= V8_AT_ENTRY;
	struct v8_place place = { f->define_line, 0 };

	if (position == V8_AT_ENTRY)
		position = f->start;
	else if (f->start >= 0 && (position < f->start || position > f->end))
		sound = false;
	if (sound && w->v8->level == V8_LINES)
		place = v8_place_of(w->v8, f, position);
	append(w, (struct frame){ .kind = FRAME_JS,
				  .function = f->name,
				  .file = f->file,
				  .line = place.line,
				  .column = place.column,
				  .define_line = f->define_line,
				  .inlined = inlined });
	v8_check_frame(w->v8, f, tried, sound);
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

/* Bytecode handlers and the interpreter's own code: not worth a frame of their own. */
static bool is_interpreter(const char *builtin)
{
	return ends_with(builtin, "Handler") || strncmp(builtin, "Builtins_Interpreter", 20) == 0;
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

/* The function of the frame at fp, by its slot. */
static bool slot_function(struct walk *w, struct v8_function *f)
{
	uint64_t function, shared;

	if (!read_slot(w, w->v8->layout.fp_function, &function))
		return false;
	shared = v8_shared_of(w->v8, function);
	return shared && v8_function_of(w->v8, shared, f);
}

/* The function of a leaf that has just been called, by the register that brought it. */
static bool entry_function(struct walk *w, struct v8_function *f)
{
	const struct regs *regs = &w->stack->regs;
	uint64_t shared;

	if (!w->leaf || !(regs->valid >> DW_RDI & 1))
		return false;
	shared = v8_shared_of(w->v8, regs->r[DW_RDI]);
	return shared && v8_function_of(w->v8, shared, f);
}

/*
 * The function of an interpreted or baseline frame.  Its JSFunction is young and may have
 * moved, leaving its place to another one, since the sample was taken; bytecode stays.
 */
static bool bytecode_function(struct walk *w, uint64_t array, struct v8_function *f)
{
	struct v8_bytecode_slot *slot = &w->v8->bytecodes[array / 8 % V8_BYTECODES];
	uint64_t own;

	if ((slot_function(w, f) || entry_function(w, f)) &&
	    (!v8_function_bytecode(w->v8, f->shared, &own) || own == array)) {
		*slot = (struct v8_bytecode_slot){ array, f->shared };
		return true;
	}
	return slot->array == array && v8_function_of(w->v8, slot->shared, f) &&
	       v8_function_bytecode(w->v8, f->shared, &own) && own == array;
}

/* Appends the frame of the interpreter at fp: false if there is none. */
static bool emit_interpreted(struct walk *w, struct v8_function *f)
{
	uint64_t array;
	int64_t offset;

	if (!read_slot(w, w->v8->layout.fp_bytecode_array, &array) ||
	    v8_type(&w->v8->heap, array) != w->v8->layout.type_bytecode_array ||
	    !bytecode_function(w, array, f))
		return false;
	offset = bytecode_offset(w, array);
	emit(w, f, offset < 0 ? V8_UNSOUND : v8_bytecode_position(w->v8, array, offset), false);
	return true;
}

/* Appends the frames of compiled code at pc; *f becomes its (outer) function. */
static bool emit_compiled(struct walk *w, const struct v8_code *code, uint64_t pc,
			  struct v8_function *f)
{
	int32_t tier = code->kind - w->v8->layout.kind_baseline;
	struct v8_site sites[RUNTIME_MAX_INLINED];
	size_t n;

	if (v8_is_optimized(w->v8, code)) {
		n = v8_optimized_sites(w->v8, code, pc, sites, RUNTIME_MAX_INLINED);
		for (size_t i = 0; i < n; i++)
			emit(w, &sites[i].function, sites[i].position, i + 1 < n);
		if (n)
			*f = sites[n - 1].function;
		return n > 0;
	}
	if (tier == 0 && bytecode_function(w, v8_bytecode_array(w->v8, code->deopt), f)) {
		emit(w, f, v8_baseline_position(w->v8, code, pc), false);
		return true;
	}
	/* With --interpreted-frames-native-stack the interpreter, a builtin, is copied for each. */
	return tier < 0 && emit_interpreted(w, f);
}

/* Baseline code says whose it is by its bytecode, which a function that is old may have lost. */
static bool is_code_of(struct v8 *v8, const struct v8_code *code, const struct v8_function *f)
{
	struct v8_function g;
	uint64_t array;

	if (code->kind == v8->layout.kind_baseline)
		return !v8_function_bytecode(v8, f->shared, &array) ||
		       array == v8_bytecode_array(v8, code->deopt);
	return v8_is_optimized(v8, code) && v8_optimized_function(v8, code, &g) &&
	       g.shared == f->shared;
}

/*
 * Is the frame no caller of the one before, although it came from a return address at its
 * stack pointer?  A frame holds old ones in slots not written yet: then it is not the frame
 * of the code that they are in.
 */
static bool is_old_return(const struct walk *callee)
{
	struct walk w = *callee;
	struct v8_function f;
	struct v8_code code;
	int type = frame_type(&w);
	uint64_t pc = raw_frame_lookup_pc(&w.stack->frames[w.i + 1]);

	if (type == -2 || where_of(w.v8, w.stack, w.i + 1, pc) != WHERE_JIT ||
	    !v8_code_find(w.v8, pc, &code) ||
	    (code.kind != w.v8->layout.kind_baseline && !v8_is_optimized(w.v8, &code)))
		return false;
	return type >= 0 || (slot_function(&w, &f) && !is_code_of(w.v8, &code, &f));
}

/* Did the unwinder see that the frame at fp is not yet, or no longer, the one of frame i? */
static bool is_frame_of_caller(const struct walk *w)
{
	return w->i + 1 < w->stack->n && w->stack->frames[w->i + 1].fp == w->frame->fp &&
	       !is_old_return(w);
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
		if (words[i] < 4096 || words[i] >> 47 ||
		    where_of(w->v8, w->stack, w->i, words[i] - 1) != WHERE_JIT ||
		    !v8_code_find(w->v8, words[i] - 1, code))
			continue;
		if (is_code_of(w->v8, code, f)) {
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
	bool named = builtin_symbol(w->v8, pc, &sym, &m), ok;

	if (named && is_interpreter(sym.name)) {
		emit_interpreted(w, f);
		return;
	}
	if (named)
		emit_builtin(w, &sym, m, pc);
	if (find_caller(w, f, &code, &caller))
		ok = emit_compiled(w, &code, caller, f);
	else
		ok = emit_interpreted(w, f);
	/* The function's place was taken by another: the frame is the builtin's own. */
	if (!ok)
		w->n = 0;
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
	if (is_frame_of_caller(w)) {
		f->shared = 0;
		return 0;
	}
	if (f->script)
		emit_under_builtin(w, f);
	else if (f->name && f->name[0] != '(') /* the symbols of closures of V8's own say more */
		emit_js_builtin(w, f, w->v8->layout.fp_receiver);
	return w->n;
}

/* Appends the caller of a leaf that has not made its frame yet, or has left it already. */
static void emit_lost_caller(struct walk *w, const struct v8_function *callee)
{
	struct v8_function f;
	struct v8_code code;
	uint64_t words[2], back;

	if (!w->leaf || !slot_function(w, &f) || f.shared == callee->shared || !f.script ||
	    is_frame_of_caller(w) || !v8_read(&w->v8->heap, w->frame->sp, words, sizeof(words)))
		return;
	/* Between the push of the caller's frame pointer and the move that makes its own. */
	back = words[words[0] == w->frame->fp ? 1 : 0] - 1;
	switch (where_of(w->v8, w->stack, w->i, back)) {
	case WHERE_JIT:
		if (v8_code_find(w->v8, back, &code) && is_code_of(w->v8, &code, &f))
			emit_compiled(w, &code, back, &f);
		break;
	case WHERE_BUILTIN:
		w->leaf = false;
		emit_interpreted(w, &f);
		break;
	default:
		break;
	}
}

/*
 * The pc to look a position up by: the one before, of a leaf too.  A timer interrupts when an
 * instruction has retired, and the time went to that one.  V8's own profiler does the same.
 */
static uint64_t position_pc(const struct walk *w, const struct v8_code *code)
{
	return w->frame->pc > code->start ? w->frame->pc - 1 : code->start;
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
		else if (emit_compiled(w, &code, position_pc(w, &code), f))
			emit_lost_caller(w, f);
	} else if (type >= 0 && type == w->v8->layout.frame_irregexp) {
		emit_native(w, FRAME_JIT, "(regexp)");
	} else if (type == -1 && !is_frame_of_caller(w) && slot_function(w, f)) {
		emit(w, f, V8_UNTRIED, false);
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
	struct walk callee = { .v8 = v8, .stack = stack, .frame = stack->frames, .leaf = true };

	if (i == 0)
		v8_begin_sample(v8, mem);
	v8->frame_function[i].shared = 0;
	if (v8->level == V8_NATIVE || frame->fp % 8 || frame->fp < frame->sp ||
	    frame->fp - frame->sp > FRAME_BYTES_MAX)
		return 0;
	if (i == 1 && callee.frame->fp == frame->fp && is_old_return(&callee))
		return RUNTIME_NO_FRAME;
	switch (where_of(v8, stack, i, raw_frame_lookup_pc(frame))) {
	case WHERE_BUILTIN:
		return name_builtin(&w);
	case WHERE_JIT:
		return name_jit(&w);
	default:
		return 0;
	}
}
