#ifndef LAGPROF_CORE_RECORDING_DECODE_H
#define LAGPROF_CORE_RECORDING_DECODE_H

#include "core/idmap.h"
#include "core/recording.h"

/*
 * Makes a recording out of the records of docs/lagprof.proto, all of them
 * hostile: ids are mapped, lengths and numbers checked, and memory and time
 * stay in proportion to the bytes that were read.
 *
 * Ids in a file are its writer's, and what is defined again replaces what was
 * defined before; so stacks and samples are gathered first and put into the
 * recording by decoder_finish().
 */
struct decoder {
	struct recording *rec;
	struct idmap frames;        /* to ids of rec */
	struct idmap loops, stalls; /* to indices in rec */
	struct idmap stack_ids, replacement_ids;
	struct decoded_stack *stacks;
	struct decoded_stack *replacements;
	struct decoded_sample *samples;
	struct decoded_argument *arguments;
	size_t n_stacks, cap_stacks, n_replacements, cap_replacements;
	size_t n_samples, cap_samples, n_arguments, cap_arguments;
	uint64_t bad_records;  /* that could not be understood */
	uint64_t lost_samples; /* whose stall or stack is not in the file */
	uint64_t work;         /* steps left for what a file can ask for without paying in bytes */
};

void decoder_init(struct decoder *d, struct recording *rec);
/* Takes the payload of one frame. */
void decoder_take(struct decoder *d, const uint8_t *data, size_t len);
/* Completes the recording; d is empty afterwards. */
void decoder_finish(struct decoder *d);

#endif
