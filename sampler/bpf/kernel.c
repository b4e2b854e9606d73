#include "sampler/bpf/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int sys_bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static int create_map(const char *name, union bpf_attr *attr, struct error *err)
{
	int fd, ret;

	strncpy(attr->map_name, name, sizeof(attr->map_name) - 1);
	fd = sys_bpf(BPF_MAP_CREATE, attr);
	if (fd >= 0)
		return fd;
	ret = -errno;
	return error_set(err, ret, "cannot create a BPF map: %s", strerror(-ret));
}

int kernel_create_value_map(const char *name, size_t size, struct error *err)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY,
				.key_size = 4,
				.value_size = (uint32_t)size,
				.max_entries = 1,
				.map_flags = BPF_F_MMAPABLE };

	return create_map(name, &attr, err);
}

int kernel_create_ringbuf(const char *name, size_t size, struct error *err)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_RINGBUF, .max_entries = (uint32_t)size };

	return create_map(name, &attr, err);
}

int kernel_load_program(const char *name, enum bpf_prog_type type, const struct attach_point *at,
			struct assembler *a, struct error *err)
{
	char log[4096] = "";
	union bpf_attr attr = { .prog_type = type,
				.insn_cnt = (uint32_t)a->n,
				.insns = (uintptr_t)a->insns,
				.license = (uintptr_t) "GPL" };
	int fd, ret;

	strncpy(attr.prog_name, name, sizeof(attr.prog_name) - 1);
	if (at) {
		attr.expected_attach_type = at->type;
		attr.attach_btf_id = at->id;
	}
	fd = sys_bpf(BPF_PROG_LOAD, &attr);
	if (fd >= 0)
		return fd;
	ret = -errno;
	if (ret == -EINVAL || ret == -EACCES) {
		/* The verifier's last words say why; they matter only to whoever mends lagprof. */
		static const char none[] = "no log";
		const char *last;

		attr.log_buf = (uintptr_t)log;
		attr.log_size = sizeof(log);
		attr.log_level = 1;
		fd = sys_bpf(BPF_PROG_LOAD, &attr);
		if (fd >= 0)
			return fd;
		log[sizeof(log) - 1] = 0;
		last = strlen(log) > 200 ? log + strlen(log) - 200 : *log ? log : none;
		return error_set(err, ret, "the kernel refused the BPF program %s: %s (%s)", name,
				 strerror(-ret), last);
	}
	return error_set(err, ret, "cannot load the BPF program %s: %s", name, strerror(-ret));
}

int kernel_attach_tracing(int prog_fd, struct error *err)
{
	union bpf_attr attr = { .raw_tracepoint.prog_fd = (uint32_t)prog_fd };
	int fd = sys_bpf(BPF_RAW_TRACEPOINT_OPEN, &attr);

	if (fd >= 0)
		return fd;
	return error_set(err, -errno, "cannot attach to a kernel tracepoint: %s", strerror(errno));
}

/* A private, detached mount: nothing is mounted where others see it. */
static int mount_tracefs(void)
{
	int fs = (int)syscall(SYS_fsopen, "tracefs", 1 /* FSOPEN_CLOEXEC */), mount = -1;

	if (fs >= 0 && syscall(SYS_fsconfig, fs, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0) == 0)
		mount = (int)syscall(SYS_fsmount, fs, 1 /* FSMOUNT_CLOEXEC */, 0);
	if (fs >= 0)
		close(fs);
	return mount < 0 ? -errno : mount;
}

int kernel_open_tracefs(void)
{
	int fd = open("/sys/kernel/tracing", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && faccessat(fd, "events/syscalls", R_OK | X_OK, AT_EACCESS) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return mount_tracefs();
}

int kernel_tracepoint_id(int tracefs, const char *event)
{
	char path[128], text[32] = "";
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "events/%s/id", event);
	fd = openat(tracefs, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? atoi(text) : -EIO;
}
