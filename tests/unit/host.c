#include "sampler/host_watch.h"

#include "tests/test.h"

#define MS 1000000ull

static const char mounts[] =
	"31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
	"33 31 0:30 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset\n"
	"32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
	"41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";

static const char *folder(const char *membership, const char *mountinfo, bool v2, size_t *mount)
{
	static char out[256];
	struct cgroup_texts texts = { membership, mountinfo };

	return cgroup_folder(texts, v2, out, sizeof(out), mount) ? out : "none";
}

TEST(host_finds_the_group_of_each_hierarchy)
{
	const char *membership = "9:cpuset:/elsewhere\n1:cpuacct,cpu:/web/api\n0::/user.slice\n";
	size_t mount;

	CHECK_STR(folder(membership, mounts, false, &mount), "/sys/fs/cgroup/cpu/web/api");
	CHECK_EQ(mount, strlen("/sys/fs/cgroup/cpu"));
	CHECK_STR(folder(membership, mounts, true, &mount), "/sys/fs/cgroup/unified/user.slice");
	CHECK_STR(folder("1:cpu:/\n", mounts, false, &mount), "/sys/fs/cgroup/cpu");
	CHECK_STR(folder("1:cpuset:/\n", mounts, false, &mount), "none");
	CHECK_STR(folder("0::/../../other\n", mounts, true, &mount), "none");
	CHECK_STR(folder("0::/a\n", "", true, &mount), "none");
	CHECK_STR(folder("", mounts, true, &mount), "none");
}

TEST(host_takes_off_what_a_container_does_not_show)
{
	size_t mount;

	CHECK_STR(folder("1:cpu:/docker/1f/app\n",
			 "7 6 0:2 /docker/1f /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n", false,
			 &mount),
		  "/sys/fs/cgroup/cpu/app");
}

static void add_reading(struct host_watch *w, nsec at, nsec throttled)
{
	w->readings[w->n % HOST_READINGS].at = at;
	w->readings[w->n % HOST_READINGS].throttled = throttled;
	w->n++;
}

TEST(host_throttling_lies_between_the_readings_around_it)
{
	struct host_watch w = { 0 };

	CHECK_EQ(host_watch_throttled(&w, 0, 100 * MS), 0);
	for (nsec i = 0; i < 10; i++)
		add_reading(&w, i * 20 * MS, i < 5 ? 0 : i < 8 ? 70 * MS : 90 * MS);
	CHECK_EQ(host_watch_throttled(&w, 10 * MS, 70 * MS), 0);
	CHECK_EQ(host_watch_throttled(&w, 10 * MS, 95 * MS), 70 * MS);
	CHECK_EQ(host_watch_throttled(&w, 105 * MS, 135 * MS), 0);
	CHECK_EQ(host_watch_throttled(&w, 130 * MS, 400 * MS), 20 * MS);
	for (nsec i = 10; i < 10 + HOST_READINGS; i++)
		add_reading(&w, i * 20 * MS, 90 * MS + i);
	CHECK_EQ(host_watch_throttled(&w, 0, 20000 * MS), HOST_READINGS - 1);
}

TEST(host_keeps_the_neighbours_that_took_most)
{
	struct recording *rec = recording_new();
	struct target target = { .procfd = -1 };
	struct host_watch w;

	host_watch_init(&w, &target);
	for (int32_t pid = 100000001; pid < 100000101; pid++)
		host_watch_neighbour(&w, rec, pid, pid == 100000007 ? 50 * MS : MS);
	host_watch_neighbour(&w, rec, 1, 60 * MS);
	host_watch_tick(&w, rec);
	CHECK_EQ(rec->host.n_neighbours, HOST_NEIGHBOURS);
	CHECK_EQ(rec->host.neighbours[0].pid, 1);
	CHECK_EQ(rec->host.neighbours[1].pid, 100000007);
	CHECK_EQ(rec->host.neighbours[1].time, 50 * MS);
	CHECK(rec->host.neighbours[0].name != NULL);
	CHECK(rec->host.neighbours[1].name == NULL);
	host_watch_destroy(&w);
	recording_free(rec);
}
