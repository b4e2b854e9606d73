#include "sampler/bpf/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/arena.h"

/* Reads the handful of facts that the programs need out of the kernel's BTF, without a library. */

struct btf {
	uint8_t *data;
	size_t size;
	const uint8_t *types, *types_end;
	const char *names;
	size_t names_size;
	const struct btf_type **by_id; /* [0] is void */
	uint32_t n;
};

static const char *btf_name(const struct btf *btf, uint32_t off)
{
	return off < btf->names_size ? btf->names + off : "";
}

static size_t type_size(const struct btf_type *t)
{
	uint32_t vlen = BTF_INFO_VLEN(t->info);

	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return sizeof(*t) + 4;
	case BTF_KIND_ARRAY:
		return sizeof(*t) + sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return sizeof(*t) + vlen * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
	case BTF_KIND_FUNC_PROTO:
		return sizeof(*t) + vlen * 8;
	case BTF_KIND_DATASEC:
	case BTF_KIND_ENUM64:
		return sizeof(*t) + vlen * 12;
	default:
		return sizeof(*t);
	}
}

static int index_types(struct btf *btf)
{
	size_t cap = 0;

	btf->by_id = NULL;
	ARRAY_GROW(btf->by_id, (size_t)btf->n, cap);
	btf->by_id[btf->n++] = NULL;
	for (const uint8_t *p = btf->types; p + sizeof(struct btf_type) <= btf->types_end;) {
		const struct btf_type *t = (const void *)p;

		p += type_size(t);
		if (p > btf->types_end)
			return -EINVAL;
		ARRAY_GROW(btf->by_id, (size_t)btf->n, cap);
		btf->by_id[btf->n++] = t;
	}
	return 0;
}

static int read_whole(const char *path, uint8_t **data, size_t *size)
{
	struct stat st;
	size_t done = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0) {
		int ret = -errno;

		if (fd >= 0)
			close(fd);
		return ret;
	}
	*size = (size_t)st.st_size;
	*data = xcalloc(1, *size + 1);
	while (done < *size) {
		ssize_t n = read(fd, *data + done, *size - done);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	close(fd);
	return done == *size ? 0 : -EIO;
}

static int btf_open(struct btf *btf, const char *path)
{
	const struct btf_header *h;
	int ret = read_whole(path, &btf->data, &btf->size);

	if (ret < 0)
		return ret;
	h = (const void *)btf->data;
	if (btf->size < sizeof(*h) || h->magic != BTF_MAGIC ||
	    (uint64_t)h->hdr_len + h->type_off + h->type_len > btf->size ||
	    (uint64_t)h->hdr_len + h->str_off + h->str_len > btf->size)
		return -EINVAL;
	btf->types = btf->data + h->hdr_len + h->type_off;
	btf->types_end = btf->types + h->type_len;
	btf->names = (const char *)btf->data + h->hdr_len + h->str_off;
	btf->names_size = h->str_len;
	return index_types(btf);
}

static void btf_close(struct btf *btf)
{
	free(btf->by_id);
	free(btf->data);
}

static uint32_t find_type(const struct btf *btf, uint32_t kind, const char *name)
{
	for (uint32_t id = 1; id < btf->n; id++)
		if (BTF_INFO_KIND(btf->by_id[id]->info) == kind &&
		    strcmp(btf_name(btf, btf->by_id[id]->name_off), name) == 0)
			return id;
	return 0;
}

/* Byte offset of a member of a struct, looking into anonymous members; -1 if absent. */
static int member_offset(const struct btf *btf, uint32_t id, const char *name, uint32_t *type,
			 int depth)
{
	const struct btf_type *t = id && id < btf->n ? btf->by_id[id] : NULL;
	const struct btf_member *m = t ? (const void *)(t + 1) : NULL;
	uint32_t kind = t ? BTF_INFO_KIND(t->info) : 0;

	if ((kind != BTF_KIND_STRUCT && kind != BTF_KIND_UNION) || depth > 4)
		return -1;
	for (uint32_t i = 0; i < BTF_INFO_VLEN(t->info); i++) {
		uint32_t bits =
			BTF_INFO_KFLAG(t->info) ? BTF_MEMBER_BIT_OFFSET(m[i].offset) : m[i].offset;
		int inner;

		if (strcmp(btf_name(btf, m[i].name_off), name) == 0) {
			*type = m[i].type;
			return (int)(bits / 8);
		}
		if (m[i].name_off != 0)
			continue;
		inner = member_offset(btf, m[i].type, name, type, depth + 1);
		if (inner >= 0)
			return (int)(bits / 8) + inner;
	}
	return -1;
}

/* Parameters of the function behind a typedef of a pointer to it, without the leading void *. */
static int traced_args(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf->by_id[id];

	for (int hops = 0; hops < 3; hops++) {
		if (t->type == 0 || t->type >= btf->n)
			return -1;
		t = btf->by_id[t->type];
		if (BTF_INFO_KIND(t->info) == BTF_KIND_FUNC_PROTO)
			return (int)BTF_INFO_VLEN(t->info) - 1;
	}
	return -1;
}

/* The same of a member that is a pointer; *type is what it points to. */
static int pointer_offset(const struct btf *btf, uint32_t id, const char *name, uint32_t *type)
{
	int at = member_offset(btf, id, name, type, 0);

	*type = at >= 0 && *type < btf->n && *type ? btf->by_id[*type]->type : 0;
	return at;
}

/* From a thread to the clock that the scheduler reads before each switch: task->se.cfs_rq->rq. */
static void clock_path(const struct btf *btf, uint32_t task, struct kernel_types *types)
{
	uint32_t type = 0;
	int *path = types->clock_path, se = member_offset(btf, task, "se", &type, 0);

	path[0] = se < 0 ? -1 : pointer_offset(btf, type, "cfs_rq", &type);
	path[1] = path[0] < 0 ? -1 : pointer_offset(btf, type, "rq", &type);
	path[2] = path[1] < 0 ? -1 : member_offset(btf, type, "clock", &type, 0);
	path[0] = path[2] < 0 ? -1 : se + path[0];
}

static void task_offsets(const struct btf *btf, struct kernel_types *types)
{
	uint32_t task = find_type(btf, BTF_KIND_STRUCT, "task_struct");
	uint32_t type = 0;
	int sched_info, run_delay;

	types->task_pid = member_offset(btf, task, "pid", &type, 0);
	types->task_flags = member_offset(btf, task, "flags", &type, 0);
	types->task_state = member_offset(btf, task, "__state", &type, 0);
	if (types->task_state < 0)
		types->task_state = member_offset(btf, task, "state", &type, 0);
	sched_info = member_offset(btf, task, "sched_info", &type, 0);
	run_delay = sched_info < 0 ? -1 : member_offset(btf, type, "run_delay", &type, 0);
	types->task_run_delay = run_delay < 0 ? -1 : sched_info + run_delay;
	clock_path(btf, task, types);
}

int kernel_read_types(struct kernel_types *types, struct error *err)
{
	static const char path[] = "/sys/kernel/btf/vmlinux";
	struct btf btf = { 0 };
	int ret = btf_open(&btf, path);

	if (ret < 0) {
		btf_close(&btf);
		return error_set(err, ret, "cannot read the kernel's types from %s: %s", path,
				 strerror(-ret));
	}
	*types = (struct kernel_types){ 0 };
	types->sched_switch_id = find_type(&btf, BTF_KIND_TYPEDEF, "btf_trace_sched_switch");
	if (types->sched_switch_id)
		types->sched_switch_args = traced_args(&btf, types->sched_switch_id);
	types->sys_enter_id = find_type(&btf, BTF_KIND_TYPEDEF, "btf_trace_sys_enter");
	types->local_timer_id = find_type(&btf, BTF_KIND_TYPEDEF, "btf_trace_local_timer_entry");
	types->task_iterator_id = find_type(&btf, BTF_KIND_FUNC, "bpf_iter_task");
	task_offsets(&btf, types);
	btf_close(&btf);
	if (types->sched_switch_args < 3 || !types->sys_enter_id || types->task_pid < 0 ||
	    types->task_state < 0 || types->task_flags < 0)
		return error_set(err, -ENOTSUP, "this kernel's types lack what the probe needs");
	return 0;
}
