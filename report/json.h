#ifndef LAGPROF_REPORT_JSON_H
#define LAGPROF_REPORT_JSON_H

#include <jansson.h>

#include "report/renderer.h"

/*
 * The parts of the JSON report (docs/report.schema.json).  Each returns a new
 * value; what is unknown is left out.
 */
json_t *json_strict(const struct strict_finding *s, const struct recording *rec);
json_t *json_process(const struct target_info *process);
json_t *json_target(const struct target_info *target);
json_t *json_session(const struct session *session);
json_t *json_loop(const struct loop *loop);
json_t *json_threadpool(const struct report *r);
json_t *json_host(const struct host *host);
json_t *json_stall(const struct report *r, size_t i);
json_t *json_finding(const struct finding *f, const struct recording *rec);
json_t *json_samples(const struct report *r);
json_t *json_texts(const char *const *texts, size_t n);
json_t *json_budget(const struct budget_report *budget);

/* Members that are left out when there is nothing to put: NULL, NaN; text is made valid UTF-8. */
void json_put_text(json_t *object, const char *name, const char *s);
void json_put_count(json_t *object, const char *name, uint64_t n);
void json_put_real(json_t *object, const char *name, double v);

/* Writes value and gives it up. */
void json_write(FILE *out, json_t *value);

#endif
