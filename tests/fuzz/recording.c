/*
 * The reader of .lagprof files.  An input that begins like one is read as it
 * is; any other is the inside of a frame, so that the fuzzer need not guess
 * sums.  What was read must survive being written and read again.
 */
#include "core/recording_file.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/file_frame.h"
#include "tests/recordings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(int fd, const void *data, size_t len)
{
	if (write(fd, data, len) != (ssize_t)len)
		abort();
}

static void put_frame(int fd, const uint8_t *data, size_t size)
{
	struct file_codec codec = { 0 };
	struct strbuf frame = { 0 };

	file_frame_encode(&codec, FILE_FRAME_RECORDS, data, size, &frame);
	put(fd, frame.s, frame.len);
	strbuf_destroy(&frame);
	file_codec_destroy(&codec);
}

static struct recording *read_input(const uint8_t *data, size_t size)
{
	uint8_t header[FILE_HEADER_SIZE];
	struct recording *rec = NULL;
	struct error err;
	char path[64];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	file_header_put(header);
	if (size < 8 || memcmp(data, header, 8) != 0) {
		put(fd, header, sizeof(header));
		put_frame(fd, data, size < FILE_FRAME_RAW_MAX ? size : FILE_FRAME_RAW_MAX);
	} else {
		put(fd, data, size);
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	recording_read(&rec, path, &err);
	close(fd);
	return rec;
}

static struct recording *write_and_read(const struct recording *rec)
{
	struct recording_writer *w;
	struct recording *again = NULL;
	struct error err;
	char path[64];

	snprintf(path, sizeof(path), "/dev/shm/lagprof-fuzz-%d", getpid());
	unlink(path);
	if (recording_create(&w, path, 0, &err) < 0 || recording_finish(w, rec, &err) < 0 ||
	    recording_read(&again, path, &err) < 0)
		abort();
	unlink(path);
	return again;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct recording *rec = read_input(data, size), *again;

	if (!rec)
		return 0;
	again = write_and_read(rec);
	if (recordings_difference(rec, again)) {
		fprintf(stderr, "changed: %s\n", recordings_difference(rec, again));
		abort();
	}
	recording_free(again);
	recording_free(rec);
	return 0;
}
