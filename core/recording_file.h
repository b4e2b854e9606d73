#ifndef LAGPROF_CORE_RECORDING_FILE_H
#define LAGPROF_CORE_RECORDING_FILE_H

#include <stdint.h>

#include "core/error.h"
#include "core/recording.h"

/*
 * The saved form of a recording (docs/recording.md, docs/lagprof.proto): a
 * 16-byte header, then frames {magic, type, stored length, raw length, crc32}
 * of zstd-compressed, length-delimited protobuf messages.  Every frame is
 * written by one write(2), so after a kill or on a full disk the file reads up
 * to its last whole frame.
 */
struct recording_writer;

/*
 * Creates path (mode 0600; fails with -EEXIST rather than follow or overwrite)
 * or, for "-", writes to standard output.  No more than max_size bytes are
 * written (0: 256 MiB): past that stacks and samples are left out, totals kept.
 */
int recording_create(struct recording_writer **w, const char *path, uint64_t max_size,
		     struct error *err);
/* The same in the place of another recording, or of an empty file; nothing else is replaced. */
int recording_replace(struct recording_writer **w, const char *path, uint64_t max_size,
		      struct error *err);
/*
 * Writes what rec gained since the last call (an open stall again when it
 * changed) when that is worth a frame: 64 KiB, a second, or force.  After the first failure (disk
 * full) it does nothing more and returns that error again.
 */
int recording_write(struct recording_writer *w, const struct recording *rec, bool force,
		    struct error *err);
/* Writes the rest, syncs and closes; frees w in any case. */
int recording_finish(struct recording_writer *w, const struct recording *rec, struct error *err);
void recording_abandon(struct recording_writer *w);

/*
 * Reads a whole file as hostile input into *rec.  A file that ends early or has
 * damaged frames is read as far as it goes: session.end says END_CUT_SHORT and
 * a note says how many bytes were skipped.  Fails only when nothing of it is a
 * recording.
 */
int recording_read(struct recording **rec, const char *path, struct error *err);

#endif
