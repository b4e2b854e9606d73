#include "sampler/mend.h"
#include "tests/test.h"

#define CAP(n) (1ull << (n))

enum { SYS_PTRACE = 19, SYS_ADMIN = 21, PERFMON = 38, BPF = 39 };

static const uint64_t all = ~0ull;

static const char *bpf_fix(struct surroundings s)
{
	static struct error err;

	error_set(&err, -1, "refused");
	mend_bpf(&s, &err);
	return err.fix;
}

static const char *perf_fix(struct surroundings s)
{
	static struct error err;

	error_set(&err, -1, "refused");
	mend_perf(&s, &err);
	return err.fix;
}

#define HAS(text, part) CHECK(strstr(text, part) != NULL)

TEST(an_ordinary_user_is_told_of_sudo_and_setcap)
{
	struct surroundings s = { .reachable = all, .paranoid = 2 };

	HAS(bpf_fix(s), "sudo setcap cap_bpf,cap_perfmon,cap_sys_ptrace=ep");
}

TEST(half_of_the_capabilities_is_none)
{
	struct surroundings s = { .reachable = all, .capabilities = CAP(BPF) };

	HAS(bpf_fix(s), "setcap");
}

TEST(a_container_that_cannot_have_them_is_told_of_its_own_flags)
{
	struct surroundings s = { .root = true, .container = CONTAINER_DOCKER };

	HAS(bpf_fix(s), "docker run --cap-add BPF --cap-add PERFMON");
	s.container = CONTAINER_PODMAN;
	HAS(bpf_fix(s), "podman run --cap-add BPF,PERFMON");
	s.container = CONTAINER_KUBERNETES;
	HAS(bpf_fix(s), "capabilities: {add: [BPF, PERFMON");
}

TEST(a_container_that_only_filters_is_told_of_the_filter_alone)
{
	struct surroundings s = { .root = true,
				  .filtered = true,
				  .capabilities = CAP(SYS_ADMIN),
				  .reachable = all,
				  .container = CONTAINER_DOCKER };

	CHECK_STR(bpf_fix(s), "docker run --security-opt seccomp=unconfined");
}

TEST(who_is_not_root_in_a_container_is_told_to_be)
{
	struct surroundings s = { .filtered = true, .container = CONTAINER_DOCKER };

	HAS(bpf_fix(s), "--cap-add BPF");
	HAS(bpf_fix(s), "--user root");
	s.container = CONTAINER_KUBERNETES;
	HAS(bpf_fix(s), "runAsUser: 0");
}

TEST(hidden_kernel_names_take_both_settings)
{
	struct error err;

	error_set(&err, -1, "refused");
	mend_kernel_names(&(struct surroundings){ .paranoid = 2 }, &err);
	HAS(err.fix, "sysctl kernel.perf_event_paranoid=1");
	CHECK(strstr(err.fix, "kptr_restrict") == NULL);
	mend_kernel_names(&(struct surroundings){ .paranoid = 1, .kptr_restrict = 1 }, &err);
	HAS(err.fix, "sysctl kernel.kptr_restrict=0");
	CHECK(strstr(err.fix, "paranoid") == NULL);
}

TEST(refused_tracing_is_given_back_by_what_took_it)
{
	struct surroundings s = { .filtered = true, .reachable = all };
	struct error err;

	error_set(&err, -1, "refused");
	mend_ptrace(&s, &err);
	HAS(err.fix, "seccomp filter");
	s.container = CONTAINER_DOCKER;
	mend_ptrace(&s, &err);
	HAS(err.fix, "--cap-add SYS_PTRACE");
	s.ptrace_scope = 1;
	mend_ptrace(&s, &err);
	HAS(err.fix, "kernel.yama.ptrace_scope=0");
}

TEST(who_may_be_root_inside_a_container_is_told_of_sudo)
{
	struct surroundings s = { .reachable = all, .container = CONTAINER_DOCKER };

	HAS(bpf_fix(s), "sudo");
}

TEST(root_of_a_user_namespace_is_told_that_it_is_none)
{
	struct surroundings s = {
		.root = true, .user_namespace = true, .capabilities = all, .reachable = all
	};

	HAS(bpf_fix(s), "outside the user namespace");
}

TEST(a_service_without_capabilities_is_told_of_its_bounding_set)
{
	struct surroundings s = { .root = true, .capabilities = CAP(SYS_PTRACE) };

	HAS(bpf_fix(s), "CapabilityBoundingSet");
	s.filtered = true;
	HAS(bpf_fix(s), "SystemCallFilter");
}

TEST(a_paranoid_kernel_is_told_of_its_setting)
{
	struct surroundings s = { .paranoid = 3, .filtered = true };

	CHECK_STR(perf_fix(s), "sudo sysctl kernel.perf_event_paranoid=2");
	s.paranoid = 2;
	HAS(perf_fix(s), "filter");
}
