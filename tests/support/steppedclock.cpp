// Preloaded into a program under test: its wall clock is that of the machine plus the seconds written in the file that
// STEPPED_CLOCK names. The steady clock stays as it is.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>

namespace {

long steppedSeconds()
{
    const char *path = std::getenv("STEPPED_CLOCK");
    const int file = path ? ::open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return 0;
    char text[32] = {};
    const ssize_t got = ::read(file, text, sizeof text - 1);
    ::close(file);
    return got > 0 ? std::strtol(text, nullptr, 10) : 0;
}

} // namespace

extern "C" {

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, timespec *time)
{
    using Function = int (*)(clockid_t, timespec *);
    static const Function real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "clock_gettime"));
    const int result = real(clock, time);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        time->tv_sec += steppedSeconds();
    return result;
}

__attribute__((visibility("default"))) int gettimeofday(timeval *time, void *zone) noexcept
{
    using Function = int (*)(timeval *, void *);
    static const Function real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "gettimeofday"));
    const int result = real(time, zone);
    if (result == 0)
        time->tv_sec += steppedSeconds();
    return result;
}
}
