#ifndef LAGPROF_SAMPLER_BPF_HOOKS_H
#define LAGPROF_SAMPLER_BPF_HOOKS_H

#include "sampler/bpf/engine.h"

/* What sees polls as they begin, and when it is there. */

/*
 * Hooks the entry of every poll of the machine: of all system calls, for a short time, or of each
 * that polls; engine_hook_all(): the latter if that can be.
 */
int engine_hook_syscalls(struct engine *x, struct error *err);
int engine_hook_polls(struct engine *x, struct error *err);
int engine_hook_all(struct engine *x, struct error *err);
void engine_unhook_syscalls(struct engine *x);
/* Lets go of all.  The kernel takes its time, up to a second: beside, on another thread. */
void engine_unhook_all(struct engine *x);
void engine_unhook_all_beside(struct engine *x);
/* Waits for that thread. */
void engine_join(struct engine *x);
/* Hooks loops whose polls go unseen, on a thread of its own. */
int engine_start_hooking(struct engine *x, struct error *err);
void engine_stop_hooking(struct engine *x);
/* A loop that runs, and whose poll is not known: hooks all polls.  Under x->lock. */
void engine_learn_poll(struct engine *x);
void engine_drop_hook(struct followed *f);
/* A breakpoint, not enabled yet, that runs the hook's program: the fd, or -errno. */
int engine_open_hook(const struct engine *x, pid_t tid, uint64_t at);
/* Hooks all polls for good, or only those that go unseen. */
int engine_be_exact(struct engine *x);
void engine_be_light(struct engine *x);
/* Every loop sleeps, or has only just begun its turn.  Under x->lock, like all of these. */
bool engine_is_between_turns(const struct engine *x, nsec now);
/* The age at which a turn of the light rung asks for a hook. */
nsec engine_ask_after(const struct engine *x);

#endif
