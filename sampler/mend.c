#include "sampler/mend.h"

#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#define CAP_BPF     39
#endif

#define BIT(n) (1ull << (n))

static const struct {
	const char *name;
	uint64_t bit;
} useful[] = {
	{ "bpf", BIT(CAP_BPF) },
	{ "perfmon", BIT(CAP_PERFMON) },
	{ "sys_ptrace", BIT(CAP_SYS_PTRACE) },
	{ "sys_admin", BIT(CAP_SYS_ADMIN) },
};

/* How each kind of container is given what lagprof wants. */
static const struct {
	const char *capabilities, *no_filter;
	const char *as_root; /* who is not root in there is given no capability */
} flags[] = {
	[CONTAINER_DOCKER] = { "docker run --cap-add BPF --cap-add PERFMON --cap-add SYS_PTRACE "
			       "--security-opt seccomp=unconfined",
			       "docker run --security-opt seccomp=unconfined", " --user root" },
	[CONTAINER_PODMAN] = { "sudo podman run --cap-add BPF,PERFMON,SYS_PTRACE "
			       "--security-opt seccomp=unconfined",
			       "podman run --security-opt seccomp=unconfined", " --user root" },
	[CONTAINER_KUBERNETES] = { "securityContext: {capabilities: {add: [BPF, PERFMON, "
				   "SYS_PTRACE]}, seccompProfile: {type: Unconfined}}",
				   "securityContext: {seccompProfile: {type: Unconfined}}",
				   ", and runAsUser: 0" },
};

static int read_number(const char *path)
{
	FILE *f = fopen(path, "re");
	int n = -1;

	if (f) {
		if (fscanf(f, "%d", &n) != 1)
			n = -1;
		fclose(f);
	}
	return n;
}

static void read_status(struct surroundings *s)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[128];
	int mode;

	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		sscanf(line, "CapEff: %" SCNx64, &s->capabilities);
		sscanf(line, "CapBnd: %" SCNx64, &s->reachable);
		if (sscanf(line, "Seccomp: %d", &mode) == 1)
			s->filtered = mode != 0;
	}
	fclose(f);
}

/* The initial namespace maps all ids to themselves. */
static bool in_user_namespace(void)
{
	FILE *f = fopen("/proc/self/uid_map", "re");
	unsigned inside = 0, outside = 0, n = UINT32_MAX;
	int fields = 0;

	if (f) {
		fields = fscanf(f, "%u %u %u", &inside, &outside, &n);
		fclose(f);
	}
	return fields == 3 && !(inside == 0 && outside == 0 && n == UINT32_MAX);
}

static enum container find_container(void)
{
	if (getenv("KUBERNETES_SERVICE_HOST"))
		return CONTAINER_KUBERNETES;
	if (access("/run/.containerenv", F_OK) == 0)
		return CONTAINER_PODMAN;
	return access("/.dockerenv", F_OK) == 0 ? CONTAINER_DOCKER : CONTAINER_NONE;
}

void surroundings_read(struct surroundings *s)
{
	*s = (struct surroundings){
		.root = geteuid() == 0,
		.user_namespace = in_user_namespace(),
		.paranoid = read_number("/proc/sys/kernel/perf_event_paranoid"),
		.ptrace_scope = read_number("/proc/sys/kernel/yama/ptrace_scope"),
		.kptr_restrict = read_number("/proc/sys/kernel/kptr_restrict"),
		.container = find_container(),
	};
	read_status(s);
}

void surroundings_describe(const struct surroundings *s, char *out, size_t size)
{
	static const char *const containers[] = {
		[CONTAINER_NONE] = "",
		[CONTAINER_DOCKER] = ", in docker",
		[CONTAINER_PODMAN] = ", in podman",
		[CONTAINER_KUBERNETES] = ", in kubernetes",
	};
	char names[64] = "";

	for (size_t i = 0; i < sizeof(useful) / sizeof(useful[0]); i++)
		if (s->capabilities & useful[i].bit)
			snprintf(names + strlen(names), sizeof(names) - strlen(names), " %s",
				 useful[i].name);
	snprintf(out, size, "%s%s, capabilities%s%s%s, perf_event_paranoid %d",
		 s->root ? "root" : "an ordinary user",
		 s->user_namespace ? " of a user namespace" : "", names[0] ? names : " none",
		 s->filtered ? ", a seccomp filter" : "", containers[s->container], s->paranoid);
}

/* Root, or CAP_BPF and CAP_PERFMON. */
static bool may_bpf(uint64_t capabilities)
{
	const uint64_t both = BIT(CAP_BPF) | BIT(CAP_PERFMON);

	return (capabilities & BIT(CAP_SYS_ADMIN)) || (capabilities & both) == both;
}

static void add_capabilities(const struct surroundings *s, struct error *err)
{
	error_fix(err, "%s%s", flags[s->container].capabilities,
		  s->root ? "" : flags[s->container].as_root);
}

void mend_bpf(const struct surroundings *s, struct error *err)
{
	bool able = may_bpf(s->capabilities);

	if (s->container != CONTAINER_NONE && able && s->filtered)
		error_fix(err, "%s", flags[s->container].no_filter);
	else if (s->container != CONTAINER_NONE && (s->filtered || !may_bpf(s->reachable)))
		add_capabilities(s, err);
	else if (s->user_namespace)
		error_fix(err, "run it as root outside the user namespace, whose own "
			       "capabilities do not count for bpf(2)");
	else if (s->filtered)
		error_fix(err, "start it without the seccomp filter (systemd: "
			       "SystemCallFilter=bpf perf_event_open)");
	else if (!may_bpf(s->reachable))
		error_fix(err, "allow CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE (systemd: "
			       "CapabilityBoundingSet=)");
	else
		error_fix(err, "sudo, or once: sudo setcap cap_bpf,cap_perfmon,cap_sys_ptrace=ep "
			       "\"$(command -v lagprof)\"");
}

void mend_perf(const struct surroundings *s, struct error *err)
{
	if (s->paranoid > 2)
		error_fix(err, "sudo sysctl kernel.perf_event_paranoid=2%s",
			  s->container != CONTAINER_NONE ? ", on the host" : "");
	else if (s->container != CONTAINER_NONE && s->filtered)
		error_fix(err, "%s", flags[s->container].no_filter);
	else if (s->filtered)
		error_fix(err, "start it without the seccomp filter (systemd: "
			       "SystemCallFilter=perf_event_open)");
	else
		error_fix(err, "run it as the target's user, or as root");
}

void mend_ptrace(const struct surroundings *s, struct error *err)
{
	bool able = s->capabilities & BIT(CAP_SYS_PTRACE);

	if (s->ptrace_scope > 0 && !able)
		error_fix(err, "sudo sysctl kernel.yama.ptrace_scope=0, or sudo, or lagprof run");
	else if (s->container != CONTAINER_NONE && able && s->filtered)
		error_fix(err, "%s", flags[s->container].no_filter);
	else if (s->container != CONTAINER_NONE &&
		 (s->filtered || !(s->reachable & BIT(CAP_SYS_PTRACE))))
		add_capabilities(s, err);
	else if (s->filtered)
		error_fix(err, "start it without the seccomp filter (systemd: "
			       "SystemCallFilter=@debug)");
	else
		error_fix(err, "run it as the target's user, or as root");
}

void mend_kernel_names(const struct surroundings *s, struct error *err)
{
	/* Zero shows them to those whom perf may show the kernel to. */
	error_fix(err, "sudo, or for everybody: sudo sysctl%s%s",
		  s->kptr_restrict > 0 ? " kernel.kptr_restrict=0" : "",
		  s->paranoid > 1 ? " kernel.perf_event_paranoid=1" : "");
}
