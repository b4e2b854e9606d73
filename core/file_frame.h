#ifndef LAGPROF_CORE_FILE_FRAME_H
#define LAGPROF_CORE_FILE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/strings.h"

/*
 * The outside of a .lagprof file (docs/recording.md): its header, and frames
 * that each hold compressed bytes, can be found again after damage and prove
 * that they are whole.  All numbers are little-endian.
 */
enum {
	FILE_MAJOR = 1, /* a reader refuses a larger one */
	FILE_MINOR = 0, /* grows when frame types or fields are added */
	FILE_HEADER_SIZE = 16,
	FILE_FRAME_HEADER_SIZE = 20,
	FILE_FRAME_RAW_MAX = 16 << 20,                          /* bytes inside a frame */
	FILE_FRAME_STORED_MAX = FILE_FRAME_RAW_MAX + (1 << 17), /* the same, compressed badly */
};

enum file_frame_type {
	FILE_FRAME_RECORDS = 1,
	FILE_FRAME_END = 2, /* records too; the last frame of a recording that was finished */
};

struct file_frame {
	uint32_t type, stored, raw; /* enum file_frame_type or unknown; bytes */
	uint32_t crc;               /* of type, stored, raw and the stored bytes */
};

/* The first four bytes of every frame. */
extern const uint8_t file_frame_magic[4];

void file_header_put(uint8_t out[FILE_HEADER_SIZE]);
/* 0; -EINVAL: not a recording; -EPROTONOSUPPORT: *major is newer than FILE_MAJOR. */
int file_header_check(const uint8_t in[FILE_HEADER_SIZE], unsigned *major);

/* The compressors, kept because setting one up costs more than a small frame. */
struct file_codec {
	struct ZSTD_CCtx_s *compress;
	struct ZSTD_DCtx_s *expand;
};
void file_codec_destroy(struct file_codec *c);

/* Makes out a whole frame of len raw bytes (at most FILE_FRAME_RAW_MAX). */
void file_frame_encode(struct file_codec *c, enum file_frame_type type, const void *raw, size_t len,
		       struct strbuf *out);
/* Does a frame with believable lengths begin at `in`, FILE_FRAME_HEADER_SIZE bytes? */
bool file_frame_parse(const uint8_t *in, struct file_frame *f);
/* Is it whole?  `in` is the frame's beginning, all of its stored bytes follow the header. */
bool file_frame_intact(const uint8_t *in, const struct file_frame *f);
/* Fills raw, f->raw bytes long; false if the stored bytes are not just that. */
bool file_frame_expand(struct file_codec *c, const uint8_t *in, const struct file_frame *f,
		       uint8_t *raw);

#endif
