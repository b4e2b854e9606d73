#include "report/json.h"

static const char *const kinds[] = {
	[FRAME_KERNEL] = "kernel", [FRAME_NATIVE] = "native", [FRAME_JS] = "js",
	[FRAME_PYTHON] = "python", [FRAME_JIT] = "jit",
};

static json_t *describe_frame(const struct frame *f)
{
	json_t *o = json_object();

	json_put_text(o, "function", f->function);
	json_put_text(o, "file", f->file);
	if (f->line)
		json_put_count(o, "line", f->line);
	json_put_text(o, "module", f->module);
	return o;
}

static json_t *describe_stack(const struct recording *rec, const struct stack *stack)
{
	json_t *frames = json_array();

	for (uint32_t i = 0; i < stack->n; i++) {
		const struct frame *f = recording_get_frame(rec, stack->frames[i]);
		json_t *o = describe_frame(f);

		json_put_text(o, "kind", kinds[f->kind]);
		json_array_append_new(frames, o);
	}
	return frames;
}

/* Names and types of what is known about a call; a value of another type is left out. */
static const struct {
	const char *name;
	enum { NUMBER, TEXT, EITHER } type;
} argument_rows[ARG_KEYS] = {
	[ARG_ITERATIONS] = { "iterations", NUMBER },
	[ARG_COST] = { "cost", NUMBER },
	[ARG_DIGEST] = { "digest", TEXT },
	[ARG_KEYLEN] = { "keylen", NUMBER },
	[ARG_BYTES] = { "bytes", NUMBER },
	[ARG_PATH] = { "path", TEXT },
	[ARG_HOST] = { "host", TEXT },
	[ARG_COMMAND] = { "command", TEXT },
	[ARG_PEER] = { "peer", TEXT },
	[ARG_PATTERN] = { "pattern", TEXT },
	[ARG_FLAGS] = { "flags", TEXT },
	[ARG_SUBJECT_LENGTH] = { "subject_length", NUMBER },
	[ARG_DURATION] = { "duration_ns", NUMBER },
	[ARG_DESCRIPTOR] = { "descriptor", EITHER },
	[ARG_LEVEL] = { "level", NUMBER },
	[ARG_MODULE] = { "module", TEXT },
};

static json_t *describe_redos(const struct redos *redos)
{
	json_t *o = json_object();

	json_put_text(o, "verdict", redos->verdict);
	if (redos->degree >= 0)
		json_put_count(o, "degree", (uint64_t)redos->degree);
	json_put_text(o, "kind", redos->kind);
	json_put_text(o, "attack", redos->attack);
	if (redos->guilty_end > redos->guilty_start)
		json_object_set_new(o, "guilty",
				    json_pack("{s:I, s:I}", "start",
					      (json_int_t)redos->guilty_start, "end",
					      (json_int_t)redos->guilty_end));
	return o;
}

static json_t *describe_evidence(const struct evidence *e)
{
	json_t *o = json_object();

	for (int key = 0; key < ARG_KEYS; key++) {
		const struct argument *a = &e->args[key];

		if (!e->has[key] || !argument_rows[key].name)
			continue;
		if (a->text && argument_rows[key].type != NUMBER)
			json_put_text(o, argument_rows[key].name, a->text);
		else if (!a->text && argument_rows[key].type != TEXT)
			json_object_set_new(o, argument_rows[key].name, json_integer(a->number));
	}
	if (e->redos)
		json_object_set_new(o, "redos", describe_redos(e->redos));
	if (e->has[ARG_GC_KIND] && e->args[ARG_GC_KIND].text) {
		json_t *gc = json_object();

		json_put_text(gc, "kind", e->args[ARG_GC_KIND].text);
		json_object_set_new(o, "gc", gc);
	}
	return o;
}

static json_t *describe_parts(const struct finding *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->n_parts; i++) {
		json_t *o = json_object();

		json_put_count(o, "pid", f->parts[i].pid > 0 ? (uint64_t)f->parts[i].pid : 0);
		if (f->parts[i].tid > 0)
			json_put_count(o, "tid", (uint64_t)f->parts[i].tid);
		json_put_count(o, "stalls", f->parts[i].stalls);
		json_put_count(o, "total_ns", f->parts[i].total);
		json_put_count(o, "max_ns", f->parts[i].max);
		json_array_append_new(list, o);
	}
	return list;
}

json_t *json_finding(const struct finding *f, const struct recording *rec)
{
	json_t *o = json_object();

	json_put_count(o, "id", f->id);
	json_put_text(o, "fingerprint", f->fingerprint);
	json_put_text(o, "cause", cause_info[f->cause].id);
	json_put_text(o, "severity", severity_names[f->severity]);
	json_put_text(o, "title", f->title);
	if (f->culprit)
		json_object_set_new(o, "culprit", describe_frame(f->culprit));
	json_put_text(o, "call", f->call);
	json_put_count(o, "stalls", f->stalls);
	json_put_count(o, "serving_stalls", f->serving_stalls);
	json_put_count(o, "total_ns", f->total);
	json_put_count(o, "max_ns", f->max);
	json_put_count(o, "mean_ns", f->mean);
	if (f->period)
		json_put_count(o, "period_ns", f->period);
	json_put_real(o, "share", f->share);
	json_put_real(o, "on_cpu", f->on_cpu);
	json_object_set_new(o, "evidence", describe_evidence(&f->evidence));
	if (rec->n_processes)
		json_object_set_new(o, "processes", describe_parts(f));
	json_put_text(o, "advice", f->advice);
	if (f->stack)
		json_object_set_new(o, "stack", describe_stack(rec, f->stack));
	return o;
}

json_t *json_strict(const struct strict_finding *s, const struct recording *rec)
{
	json_t *o = json_object();

	json_put_text(o, "fingerprint", s->fingerprint);
	json_put_text(o, "cause", cause_info[s->cause].id);
	json_put_text(o, "title", s->title);
	if (s->culprit)
		json_object_set_new(o, "culprit", describe_frame(s->culprit));
	json_put_text(o, "call", s->call);
	json_put_count(o, "calls", s->calls);
	json_object_set_new(o, "evidence", describe_evidence(&s->evidence));
	json_put_text(o, "advice", s->advice);
	if (s->stack)
		json_object_set_new(o, "stack", describe_stack(rec, s->stack));
	return o;
}

/* "/app/server.js:33", or the function where no file is known. */
static void put_culprit(json_t *o, const struct frame *f)
{
	struct strbuf b = { 0 };

	if (!f->file) {
		json_put_text(o, "culprit", f->function);
		return;
	}
	strbuf_puts(&b, f->file);
	if (f->line)
		strbuf_printf(&b, ":%u", f->line);
	json_put_text(o, "culprit", b.s);
	strbuf_destroy(&b);
}

json_t *json_stall(const struct report *r, size_t i)
{
	const struct stall *s = &r->rec->stalls[i];
	const struct stall_diagnosis *d = &r->diagnosis->stalls[i];
	json_t *o = json_object();

	json_put_count(o, "id", s->id);
	if (s->loop < r->rec->n_loops && r->rec->loops[s->loop]->pid > 0)
		json_put_count(o, "pid", (uint64_t)r->rec->loops[s->loop]->pid);
	if (s->loop < r->rec->n_loops && r->rec->loops[s->loop]->tid > 0)
		json_put_count(o, "tid", (uint64_t)r->rec->loops[s->loop]->tid);
	json_put_count(o, "start_ns", s->start);
	json_put_count(o, "duration_ns", s->duration);
	json_object_set_new(o, "open", json_boolean(s->open));
	json_put_text(o, "phase", s->phase == PHASE_SERVING ? "serving" : "startup");
	json_put_text(o, "severity", severity_names[d->severity]);
	json_put_text(o, "cause", cause_info[d->cause].id);
	json_put_count(o, "finding", d->finding);
	json_put_count(o, "running_ns", s->running);
	json_put_count(o, "runnable_ns", s->runnable);
	json_put_count(o, "blocked_ns", s->blocked);
	json_put_count(o, "stopped_ns", s->stopped);
	if (s->throttled)
		json_put_count(o, "throttled_ns", s->throttled);
	if (s->held_up)
		json_put_count(o, "held_up_ns", s->held_up);
	json_put_count(o, "samples", s->samples);
	json_put_text(o, "request", s->request);
	if (s->request && s->confidence > 0)
		json_put_real(o, "request_confidence", s->confidence);
	json_put_text(o, "peer", s->peer);
	if (d->culprit)
		put_culprit(o, d->culprit);
	return o;
}
