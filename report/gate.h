#ifndef LAGPROF_REPORT_GATE_H
#define LAGPROF_REPORT_GATE_H

#include "report/renderer.h"

/* What the formats of CI services have in common. */

/*
 * Where the service is to show a finding: the culprit's path below
 * report->root, as raw bytes, appended to b.  False, and nothing appended, when
 * there is no such place: the finding is about startup, its culprit is unknown,
 * in an installed package or outside the root.  Such a finding belongs into
 * summaries only.
 */
bool gate_path(struct strbuf *b, const struct report *r, const struct finding *f);
/* The line there, 1-based; 1 where it is unknown. */
uint32_t gate_line(const struct finding *f);
/* The headline and the advice; safe to print, no newline. */
void gate_message(struct strbuf *b, const struct report *r, const struct finding *f);
/* The rule's expression and value, "lag.p99<50ms, measured 61 ms"; safe to print. */
void gate_rule(struct strbuf *b, const struct budget_result *rule);
/* "fail: 1 of 2 budgets exceeded", "inconclusive: REASON"; nothing without budgets. */
void gate_verdict(struct strbuf *b, const struct budget_report *budget);
/* What a job is to be told of a rule: only RULE_OVER fails it, RULE_WARNED is over all the same. */
enum rule_outcome { RULE_MET, RULE_WARNED, RULE_UNSURE, RULE_OVER };
enum rule_outcome gate_outcome(const struct budget_result *rule);
/*
 * How loudly a service is to show a finding.  Where budgets were judged only
 * what fails the job is an incident, at whatever lag; else its lag decides.
 */
enum severity gate_severity(const struct report *r, const struct finding *f);

/* Copies text, `special` bytes as %XX. */
void strbuf_puts_percent(struct strbuf *b, const char *text, const char *special);

#endif
