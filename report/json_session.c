#include "report/json.h"

json_t *json_texts(const char *const *texts, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *wrap = json_object();

		json_put_text(wrap, "", texts[i]);
		json_array_append(array, json_object_get(wrap, ""));
		json_decref(wrap);
	}
	return array;
}

json_t *json_process(const struct target_info *process)
{
	json_t *o = json_target(process);

	if (process->parent > 0)
		json_put_count(o, "parent", (uint64_t)process->parent);
	return o;
}

json_t *json_target(const struct target_info *target)
{
	json_t *o = json_object();

	json_put_count(o, "pid", target->pid > 0 ? (uint64_t)target->pid : 0);
	json_object_set_new(o, "argv", json_texts(target->argv, target->argc));
	json_put_text(o, "exe", target->exe);
	if (target->runtime) {
		json_t *runtime = json_object();

		json_put_text(runtime, "name", target->runtime);
		json_put_text(runtime, "version", target->runtime_version);
		json_object_set_new(o, "runtime", runtime);
	}
	return o;
}

json_t *json_session(const struct session *session)
{
	static const char *const ends[] = {
		[END_RUNNING] = "running",         [END_TARGET_EXITED] = "target_exited",
		[END_INTERRUPTED] = "interrupted", [END_DURATION] = "duration",
		[END_CUT_SHORT] = "cut_short",     [END_PRIVILEGES] = "privileges",
	};
	json_t *o = json_object(), *lost = json_object();

	json_object_set_new(o, "start_unix_ns", json_integer(session->start_unix_ns));
	json_put_count(o, "duration_ns", session->duration);
	json_put_count(o, "threshold_ns", session->threshold);
	json_put_count(o, "sample_hz", session->sample_hz);
	json_put_text(o, "end", ends[session->end]);
	json_put_count(lost, "samples", session->lost_samples);
	json_put_count(lost, "turns", session->lost_turns);
	json_object_set_new(o, "lost", lost);
	if (session->serving_since != UINT64_MAX)
		json_put_count(o, "serving_since_ns", session->serving_since);
	if (session->error_bound)
		json_put_count(o, "error_bound_ns", session->error_bound);
	if (session->intrinsic_latency)
		json_put_count(o, "intrinsic_latency_ns", session->intrinsic_latency);
	if (session->own_cpu)
		json_put_count(o, "own_cpu_ns", session->own_cpu);
	return o;
}

static json_t *describe_lag(const struct hist *h)
{
	json_t *o = json_object();

	json_put_count(o, "min_ns", h->min);
	json_put_count(o, "mean_ns", h->sum / h->n);
	json_put_count(o, "stddev_ns", (uint64_t)hist_stddev(h));
	json_put_count(o, "p50_ns", hist_quantile(h, 0.5));
	json_put_count(o, "p90_ns", hist_quantile(h, 0.9));
	json_put_count(o, "p99_ns", hist_quantile(h, 0.99));
	json_put_count(o, "p999_ns", hist_quantile(h, 0.999));
	json_put_count(o, "max_ns", h->max);
	return o;
}

static json_t *describe_buckets(const struct hist *h)
{
	json_t *buckets = json_array();

	for (size_t i = 0; i < HIST_BUCKETS; i++)
		if (h->count[i])
			json_array_append_new(buckets,
					      json_pack("[I,I]", (json_int_t)hist_bucket_upper(i),
							(json_int_t)h->count[i]));
	return buckets;
}

json_t *json_loop(const struct loop *loop)
{
	static const char *const kinds[] = {
		[LOOP_EPOLL] = "epoll",       [LOOP_POLL] = "poll",   [LOOP_SELECT] = "select",
		[LOOP_IO_URING] = "io_uring", [LOOP_LIBUV] = "libuv", [LOOP_ASYNCIO] = "asyncio",
	};
	json_t *o = json_object();
	nsec total = loop->busy + loop->polled;

	if (loop->pid > 0)
		json_put_count(o, "pid", (uint64_t)loop->pid);
	json_put_count(o, "tid", loop->tid > 0 ? (uint64_t)loop->tid : 0);
	json_put_text(o, "name", loop->name);
	json_put_text(o, "kind", kinds[loop->kind]);
	json_put_count(o, "turns", loop->turns);
	json_put_count(o, "busy_ns", loop->busy);
	json_put_count(o, "polled_ns", loop->polled);
	if (loop->waited)
		json_put_count(o, "waited_ns", loop->waited);
	if (total)
		json_put_real(o, "utilization", (double)loop->busy / (double)total);
	if (loop->lag.n)
		json_object_set_new(o, "lag", describe_lag(&loop->lag));
	json_object_set_new(o, "histogram", describe_buckets(&loop->lag));
	return o;
}

json_t *json_threadpool(const struct report *r)
{
	const struct threadpool *pool = &r->rec->threadpool;
	json_t *o = json_object();

	if (pool->pid > 0)
		json_put_count(o, "pid", (uint64_t)pool->pid);
	json_put_count(o, "size", pool->size);
	if (pool->observed)
		json_put_real(o, "busy_ratio", (double)pool->busy / (double)pool->observed);
	json_put_count(o, "saturated_ns", pool->saturated);
	if (pool->queue_wait.n) {
		json_t *wait = json_object();

		json_put_count(wait, "count", pool->queue_wait.n);
		json_put_count(wait, "p50_ns", hist_quantile(&pool->queue_wait, 0.5));
		json_put_count(wait, "p99_ns", hist_quantile(&pool->queue_wait, 0.99));
		json_put_count(wait, "max_ns", pool->queue_wait.max);
		json_object_set_new(o, "queue_wait", wait);
	}
	if (pool->lookups)
		json_put_count(o, "lookups_waiting_ns", pool->lookups);
	if (pool->lookup_host[0])
		json_put_text(o, "lookup_host", pool->lookup_host);
	if (pool->resolution)
		json_put_count(o, "resolution_ns", pool->resolution);
	json_put_text(o, "verdict", r->diagnosis->pool.saturated ? "saturated" : "ok");
	json_put_text(o, "advice", r->diagnosis->pool.advice);
	return o;
}

json_t *json_host(const struct host *host)
{
	json_t *o = json_object(), *neighbours = json_array();

	json_put_text(o, "model", host->model);
	if (host->cpus)
		json_put_count(o, "cpus", host->cpus);
	json_put_real(o, "idle_ratio", (double)host->idle / (double)host->cpu);
	json_put_real(o, "steal_ratio", (double)host->steal / (double)host->cpu);
	if (host->quota) {
		json_put_real(o, "quota_cpus", (double)host->quota / 1000);
		json_put_count(o, "throttled_ns", host->throttled);
	}
	for (uint32_t i = 0; i < host->n_neighbours; i++) {
		const struct neighbour *n = &host->neighbours[i];
		json_t *one = json_object();

		json_put_count(one, "pid", n->pid > 0 ? (uint64_t)n->pid : 0);
		json_put_text(one, "name", n->name);
		json_put_count(one, "time_ns", n->time);
		json_array_append_new(neighbours, one);
	}
	json_object_set_new(o, "neighbours", neighbours);
	return o;
}

json_t *json_samples(const struct report *r)
{
	json_t *o = json_object(), *incomplete = json_object();

	json_put_count(o, "total", r->rec->n_samples);
	json_put_real(o, "complete_ratio", r->diagnosis->complete_ratio);
	for (int end = 0; end < STACK_ENDS; end++)
		if (r->diagnosis->incomplete[end])
			json_put_count(incomplete, stack_end_names[end],
				       r->diagnosis->incomplete[end]);
	json_object_set_new(o, "incomplete", incomplete);
	return o;
}

static json_t *list_ids(const struct budget_result *rule)
{
	json_t *ids = json_array();

	for (size_t i = 0; i < rule->n_findings; i++)
		json_array_append_new(ids, json_integer(rule->findings[i]));
	return ids;
}

json_t *json_budget(const struct budget_report *budget)
{
	static const char *const verdicts[] = {
		[VERDICT_NONE] = "none",
		[VERDICT_PASS] = "pass",
		[VERDICT_FAIL] = "fail",
		[VERDICT_INCONCLUSIVE] = "inconclusive",
	};
	json_t *o = json_object(), *rules = json_array();

	json_put_text(o, "verdict", verdicts[budget->verdict]);
	json_put_text(o, "reason", budget->reason);
	for (size_t i = 0; i < budget->n_rules; i++) {
		json_t *rule = json_object();

		json_put_text(rule, "expr", budget->rules[i].expr);
		json_put_text(rule, "level", budget->rules[i].level);
		json_put_text(rule, "value", budget->rules[i].value);
		json_object_set_new(rule, "ok", json_boolean(budget->rules[i].ok));
		if (budget->rules[i].unsure)
			json_object_set_new(rule, "unsure", json_true());
		if (budget->rules[i].n_findings)
			json_object_set_new(rule, "findings", list_ids(&budget->rules[i]));
		json_array_append_new(rules, rule);
	}
	json_object_set_new(o, "rules", rules);
	return o;
}
