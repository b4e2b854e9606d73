#include "core/file_frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

/* Not UTF-8, no NUL, and damaged by any conversion of line ends. */
static const uint8_t file_magic[8] = { 0x89, 'l', 'a', 'g', 'p', 'r', '\r', '\n' };
const uint8_t file_frame_magic[4] = { 0xf5, 'L', 'P', 0xc1 };

static void put_le(uint8_t *out, uint32_t v, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		out[i] = (uint8_t)(v >> (8 * i));
}

static uint32_t get_le(const uint8_t *in, size_t bytes)
{
	uint32_t v = 0;

	for (size_t i = 0; i < bytes; i++)
		v |= (uint32_t)in[i] << (8 * i);
	return v;
}

/* 8 bytes magic, 2 major, 2 minor, 4 flags (none yet: 0). */
void file_header_put(uint8_t out[FILE_HEADER_SIZE])
{
	memcpy(out, file_magic, sizeof(file_magic));
	put_le(out + 8, FILE_MAJOR, 2);
	put_le(out + 10, FILE_MINOR, 2);
	put_le(out + 12, 0, 4);
}

int file_header_check(const uint8_t in[FILE_HEADER_SIZE], unsigned *major)
{
	if (memcmp(in, file_magic, sizeof(file_magic)) != 0)
		return -EINVAL;
	*major = get_le(in + 8, 2);
	return *major > FILE_MAJOR ? -EPROTONOSUPPORT : 0;
}

void file_codec_destroy(struct file_codec *c)
{
	ZSTD_freeCCtx(c->compress);
	ZSTD_freeDCtx(c->expand);
	*c = (struct file_codec){ 0 };
}

/* Everything after the magic but the sum itself. */
static uint32_t sum(const uint8_t *frame, size_t stored)
{
	uLong crc = crc32(0, frame + 4, 12);

	return (uint32_t)crc32(crc, frame + FILE_FRAME_HEADER_SIZE, (uInt)stored);
}

void file_frame_encode(struct file_codec *c, enum file_frame_type type, const void *raw, size_t len,
		       struct strbuf *out)
{
	size_t bound = ZSTD_compressBound(len), stored;
	uint8_t *frame;

	if (!c->compress)
		c->compress = ZSTD_createCCtx();
	out->len = 0;
	frame = strbuf_extend(out, FILE_FRAME_HEADER_SIZE + bound);
	/* Fails only for want of memory: the room is enough. */
	stored = ZSTD_compressCCtx(c->compress, frame + FILE_FRAME_HEADER_SIZE, bound, raw, len, 1);
	if (ZSTD_isError(stored))
		abort();
	memcpy(frame, file_frame_magic, 4);
	put_le(frame + 4, type, 4);
	put_le(frame + 8, (uint32_t)stored, 4);
	put_le(frame + 12, (uint32_t)len, 4);
	put_le(frame + 16, sum(frame, stored), 4);
	out->len = FILE_FRAME_HEADER_SIZE + stored;
}

bool file_frame_parse(const uint8_t *in, struct file_frame *f)
{
	f->type = get_le(in + 4, 4);
	f->stored = get_le(in + 8, 4);
	f->raw = get_le(in + 12, 4);
	f->crc = get_le(in + 16, 4);
	return memcmp(in, file_frame_magic, 4) == 0 && f->stored <= FILE_FRAME_STORED_MAX &&
	       f->raw <= FILE_FRAME_RAW_MAX;
}

bool file_frame_intact(const uint8_t *in, const struct file_frame *f)
{
	return sum(in, f->stored) == f->crc;
}

bool file_frame_expand(struct file_codec *c, const uint8_t *in, const struct file_frame *f,
		       uint8_t *raw)
{
	size_t n;

	if (!c->expand)
		c->expand = ZSTD_createDCtx();
	n = ZSTD_decompressDCtx(c->expand, raw, f->raw, in + FILE_FRAME_HEADER_SIZE, f->stored);
	return !ZSTD_isError(n) && n == f->raw;
}
