#ifndef LAGPROF_SAMPLER_BPF_DECODE_H
#define LAGPROF_SAMPLER_BPF_DECODE_H

#include <linux/perf_event.h>

#include "sampler/probe.h"

/* Kernel records -> events.  Pure; every length in a record is checked. */

/* The fields that samples and side-band records are opened with. */
enum {
	DECODE_SAMPLE_TYPE = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CALLCHAIN |
			     PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER,
	DECODE_SIDE_TYPE = PERF_SAMPLE_TID | PERF_SAMPLE_TIME
};
/* For perf_event_attr.sample_regs_user: the 17 registers of struct regs. */
extern const uint64_t decode_regs_mask;

/*
 * False if the record is none that matters, or malformed.  The event points
 * into the record; path (PATH_MAX bytes) receives the name of a mapping.
 */
bool decode_perf_record(const struct perf_event_header *h, struct event *e, char *path);
bool decode_bpf_record(const void *record, size_t len, pid_t pid, struct event *e);

#endif
