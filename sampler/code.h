#ifndef LAGPROF_SAMPLER_CODE_H
#define LAGPROF_SAMPLER_CODE_H

#include "sampler/memory.h"
#include "sampler/space.h"

/*
 * What the bytes around a pc tell where no unwind table does (V8's builtins and
 * JIT code, code at the start of a section).
 */
enum code_frame {
	CODE_ANY,      /* nothing certain: a frame pointer may be set up */
	CODE_NO_FRAME, /* the return address is at rsp: function entry, or a ret */
	CODE_PUSHED,   /* the caller's rbp is at rsp, the return address above it */
};

enum { CODE_MAX_CALL = 8 }; /* bytes of the longest call instruction */

/* Reads len bytes at addr from the mapped file, or where there is none from mem: 0 or -EFAULT. */
int code_read(struct space *space, struct memory *mem, uint64_t addr, void *buf, size_t len);
/* Whether the n bytes end in a call instruction. */
bool code_ends_in_call(const uint8_t *bytes, size_t n);
/* 1: a call instruction ends at addr; 0: none does; -EFAULT: its bytes cannot be read. */
int code_after_call(struct space *space, struct memory *mem, uint64_t addr);
/* The state of the frame when pc is about to run. */
enum code_frame code_frame_at(struct space *space, struct memory *mem, uint64_t pc);
/* Whether a frame is about to be made: the code ahead says so, by its looks. */
bool code_makes_frame(struct space *space, struct memory *mem, uint64_t pc);
/*
 * Where the return address is if V8's code has left its frame and is about to return: in a
 * register (its DWARF number), or at rsp.  -1: it has not.
 */
enum { CODE_RETURNS_AT_SP = 7 };
int code_leaves_frame(struct space *space, struct memory *mem, uint64_t pc);
enum code_call {
	CODE_CALLS_OTHER, /* another function, for certain */
	CODE_CALLS_SOME,  /* what a register or a word of memory says */
	CODE_CALLS_IT,    /* just before pc; or by PLT or GOT another file */
};
/* Whether the call that ends at `ra` leads to code at pc. */
enum code_call code_calls(struct space *space, struct memory *mem, uint64_t ra, uint64_t pc);
/*
 * The code that ends a signal handler: CODE_SIGRETURN bytes that make the system
 * call, at whose start handlers return and at whose end the kernel is in it.
 */
enum { CODE_SIGRETURN = 9 };
bool code_is_sigreturn(struct space *space, struct memory *mem, uint64_t pc);

#endif
