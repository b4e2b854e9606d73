#include "sampler/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>
#include <unistd.h>

#include "sampler/memory.h"
#include "sampler/target.h"

enum { TRIES = 20, PAUSE = 100000 }; /* ns between them: an exec takes less than all of them */

void image_init(struct image *image)
{
	*image = (struct image){ .mem = MEMORY_NONE, .code = -ENOENT };
}

void image_close(struct image *image)
{
	if (image->mem >= 0)
		close(image->mem);
	image_init(image);
}

/* Where its code and its stack begin. */
static ssize_t read_addresses(int procfd, uint8_t *out)
{
	/* Fields 26 and 28 of the file; the state, a letter, is the third. */
	enum { FIRST_NUMBER = 4, CODE = 26, STACK = 28 };
	char text[1024], *p;
	uint64_t found[2] = { 0 };

	if (proc_read(procfd, "stat", text, sizeof(text)) <= 0)
		return -ESRCH;
	p = proc_stat_state(text);
	if (!p)
		return -ESRCH;
	p++;
	for (int field = FIRST_NUMBER; field <= STACK && *p; field++) {
		uint64_t value = strtoull(p, &p, 10);

		if (field == CODE || field == STACK)
			found[field == STACK] = value;
	}
	/* Code at 1: it may not be known.  No stack: it is being replaced, or has ended. */
	if (found[0] == 1)
		return -EACCES;
	if (!found[1])
		return found[0] ? 0 : -ESRCH;
	memcpy(out, found, sizeof(found));
	return sizeof(found);
}

/* Of the program that it runs now.  Bytes; 0: it is between two; or -errno. */
static ssize_t read_auxv(int procfd, uint8_t *out)
{
	int fd = openat(procfd, "auxv", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0 && errno == EACCES)
		return read_addresses(procfd, out);
	if (fd < 0)
		return -errno;
	n = read(fd, out, IMAGE_AUXV);
	if (n < 0)
		n = -errno;
	close(fd);
	return n;
}

/* Where its random bytes are, which the kernel put above its stack; 0: the vector has not been made
 * yet. */
static uint64_t find_witness(const uint8_t *auxv, size_t len)
{
	uint64_t pair[2], random = 0;

	for (size_t at = 0; at + sizeof(pair) <= len; at += sizeof(pair)) {
		memcpy(pair, auxv + at, sizeof(pair));
		if (pair[0] == AT_NULL)
			break;
		if (pair[0] == AT_RANDOM)
			random = pair[1];
	}
	return random;
}

static bool is_mapped(const struct image *image)
{
	uint8_t byte;

	return image->mem == MEMORY_BY_PID ||
	       pread(image->mem, &byte, 1, (off_t)image->witness) == 1;
}

static int try_open(struct image *image, int procfd)
{
	struct timespec now;
	ssize_t n;

	clock_gettime(CLOCK_MONOTONIC, &now);
	image->since = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	image->mem = openat(procfd, "mem", O_RDONLY | O_CLOEXEC);
	if (image->mem < 0 && errno != EACCES)
		return -errno;
	if (image->mem < 0)
		image->mem = MEMORY_BY_PID;
	n = read_auxv(procfd, image->auxv);
	if (n < 0)
		return (int)n;
	image->auxv_len = (size_t)n;
	if (image->mem == MEMORY_BY_PID)
		return n > 0 ? 0 : -EAGAIN;
	image->witness = find_witness(image->auxv, image->auxv_len);
	return image->witness && is_mapped(image) ? 0 : -EAGAIN;
}

int image_open(struct image *image, int procfd)
{
	int ret = -EAGAIN;

	for (int i = 0; i < TRIES && ret == -EAGAIN; i++) {
		if (i > 0)
			nanosleep(&(struct timespec){ .tv_nsec = PAUSE }, NULL);
		image_close(image);
		ret = try_open(image, procfd);
	}
	if (ret < 0)
		image_close(image);
	image->code = ret;
	return ret;
}

enum image_state image_look(const struct image *image, int procfd)
{
	uint8_t auxv[IMAGE_AUXV];
	ssize_t n;

	if (image->code == -EAGAIN)
		return IMAGE_REPLACED;
	if (image->code)
		return image->code == -ESRCH ? IMAGE_ENDED : IMAGE_UNKNOWN;
	n = read_auxv(procfd, auxv);
	if (n == -ESRCH)
		return IMAGE_ENDED;
	return n == (ssize_t)image->auxv_len && memcmp(auxv, image->auxv, image->auxv_len) == 0 &&
			       is_mapped(image)
		       ? IMAGE_CURRENT
		       : IMAGE_REPLACED;
}
