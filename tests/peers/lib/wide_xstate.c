/*
 * Preloaded into linux.uml: lets it run on processors with a large register
 * state (AMX: 11,008 octets).
 *
 * User-Mode Linux 6.1 keeps 2,696 octets of XSAVE state for each process, which
 * ends with AVX-512 and PKRU, and writes it back with PTRACE_SETREGSET. The host
 * refuses anything but its whole state, so that the first process of the guest
 * dies. Here the rest of the state is filled in with what it was.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>

static long (*real_ptrace)(int, pid_t, void *, void *);
/* Static: a kernel stack of the guest's is small, and the guest has one CPU. */
static char state[65536];

long ptrace(enum __ptrace_request request, ...)
{
    va_list args;
    va_start(args, request);
    pid_t pid = va_arg(args, pid_t);
    void *addr = va_arg(args, void *);
    void *data = va_arg(args, void *);
    va_end(args);

    if (!real_ptrace)
        *(void **)&real_ptrace = dlsym(RTLD_NEXT, "ptrace");
    long result = real_ptrace(request, pid, addr, data);
    if (result == 0 || request != PTRACE_SETREGSET || (long)addr != NT_X86_XSTATE ||
        errno != EFAULT)
        return result;

    const struct iovec *given = data;
    struct iovec whole = {state, sizeof state};
    result = real_ptrace(PTRACE_GETREGSET, pid, addr, &whole);
    if (result != 0 || whole.iov_len <= given->iov_len)
        return result;
    memcpy(state, given->iov_base, given->iov_len);
    return real_ptrace(PTRACE_SETREGSET, pid, addr, &whole);
}
