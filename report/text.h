#ifndef LAGPROF_REPORT_TEXT_H
#define LAGPROF_REPORT_TEXT_H

#include "report/page.h"

/* The parts of the text report, and what other outputs say in the same words. */

/* Why a stack did not reach its outermost frame: "changed while they were being copied". */
extern const char *const text_stack_ends[STACK_ENDS];
/* The index in f->stack of the frame that is to blame, or of the nearest of its function. */
uint32_t culprit_on_stack(const struct recording *rec, const struct finding *f);

/* Was any turn of a loop observed?  If not, nothing is known. */
bool text_saw_turns(const struct recording *rec);
/* "41 stalls of 20 ms or more, 3.2 s of 30 s (11 %), and 2 while starting, 90 ms". */
void text_totals(struct strbuf *b, const struct report *r);
/* The target's command line, or as much as fits into a line or two.  Safe to print. */
void text_command(struct strbuf *b, const struct target_info *t);

/* "node" for v8: the version that is known is the program's, not the engine's. */
const char *text_runtime(const struct target_info *t);
/* "libuv". */
const char *text_loop_kind(enum loop_kind kind);
/* "loop libuv (node, tid 42): 3,607 turns, busy 79.9 %, lag p50 2.1 us, ...".  Safe to print. */
void text_loop(struct strbuf *b, const struct loop *loop);

/* What is known of the call's arguments and is not in the title: "key of 64 bytes, ...". */
void text_evidence(struct strbuf *b, const struct finding *f);
/* What a verdict on its pattern means, without the attack; nothing if it is unknown. */
void text_redos(struct strbuf *b, const struct redos *redos);
/* How much of its time the thread was ready but did not run, where that matters. */
/* What the loop had in hand in most of the finding's stalls, if that is known of any. */
void text_requests(struct strbuf *b, const struct report *r, const struct finding *f);
void text_starvation(struct strbuf *b, const struct finding *f);
/* The heaviest stack, leaf first, shortened to the call and the culprit unless verbose. */
void text_stack(const struct report *r, const struct page *page, const struct finding *f);

/* "process 4243 (node worker.js), thread 4250: 12 stalls, 300 ms, worst 30 ms".  Safe to print. */
void text_part(struct strbuf *b, const struct recording *rec, const struct finding_part *part);
/* A line for each process that had stalls of this finding, where there are several. */
void text_processes(const struct report *r, const struct page *page, const struct finding *f);
/* A line for each process that was followed and ran a loop. */
void text_family(const struct report *r, const struct page *page);

/* The calls that block, one place a line, and what to do instead; nothing without --strict. */
void text_strict(const struct report *r, const struct page *page);
/* The verdict and a line for each budget; nothing if there is none. */
void text_budget(const struct budget_report *budget, const struct page *page);
/* A line for each loop: turns, utilization, lag. */
void text_loops(const struct report *r, const struct page *page);
void text_threadpool(const struct report *r, const struct page *page);
/* CPUs, their idle time, quotas, and who ran while a loop waited. */
void text_host(const struct report *r, const struct page *page);
/* What was lost, incomplete or could not be seen; nothing if all was. */
void text_doubts(const struct report *r, const struct page *page);
/* The probe, its error bound and cost, and the machine's own noise. */
void text_probe(const struct report *r, const struct page *page);

#endif
