#include "backend/processes/processspawn.h"

#include <QString>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>
#include <vector>

namespace foundry::backend {

namespace {

// Where the child puts what it needs until it is the program.
constexpr int spawnGoFd = 3;
constexpr int spawnStatusFd = 4;
constexpr int spawnDirectoryFd = 5;

Error spawnError(int error)
{
    return makeError(QLatin1StringView("sandbox"), QLatin1StringView("start_failed"),
        QStringLiteral("No process can be started: %1.").arg(QString::fromLocal8Bit(std::strerror(error))),
        QStringLiteral("End programs that are not needed, then try again."));
}

struct SpawnFds {
    int input = -1;
    int output = -1;
    int go = -1;
    int status = -1;
    int directory = -1;
};

[[noreturn]] void spawnGiveUp(int step)
{
    const SpawnFailure failure{step, errno};
    [[maybe_unused]] const ssize_t told = ::write(spawnStatusFd, &failure, sizeof failure);
    ::_exit(127);
}

// From here to exec: the child of a process with threads. Async-signal-safe calls only, no memory taken.
[[noreturn]] void spawnChild(const SpawnFds &fds, bool tty, const char *program, char *const *argv, char *const *envp, long fdLimit)
{
    ::setsid();
    // Handlers of the host must not run here: they would write into its pipes.
    struct sigaction defaults = {};
    defaults.sa_handler = SIG_DFL;
    for (int signal = 1; signal < NSIG; ++signal)
        ::sigaction(signal, &defaults, nullptr);

    // Out of the way first: what is to become 0…5 may be among them.
    const int from[] = {fds.input, fds.output, fds.go, fds.status, fds.directory};
    const int to[] = {STDIN_FILENO, STDOUT_FILENO, spawnGoFd, spawnStatusFd, spawnDirectoryFd};
    int high[5];
    for (int i = 0; i < 5; ++i)
        high[i] = ::fcntl(from[i], F_DUPFD_CLOEXEC, 16);
    for (int i = 0; i < 5; ++i)
        ::dup2(high[i], to[i]);
    ::dup2(STDOUT_FILENO, STDERR_FILENO);
    for (int fd = spawnGoFd; fd <= spawnDirectoryFd; ++fd)
        ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    // All else goes now and not at exec: the go sockets of other children would keep each other from seeing the host's end.
    if (::syscall(SYS_close_range, unsigned(spawnDirectoryFd + 1), ~0U, 0U) != 0) {
        for (int fd = spawnDirectoryFd + 1; fd < fdLimit; ++fd)
            ::close(fd);
    }

    char go = 0;
    ssize_t got;
    do
        got = ::read(spawnGoFd, &go, 1);
    while (got < 0 && errno == EINTR);
    if (got != 1)
        ::_exit(127); // the host is gone, or wants it no more

    if (tty && ::ioctl(STDIN_FILENO, TIOCSCTTY, 0) != 0)
        spawnGiveUp(SpawnFailure::Terminal);
    if (::fchdir(spawnDirectoryFd) != 0)
        spawnGiveUp(SpawnFailure::Directory);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execve(program, argv, envp);
    spawnGiveUp(SpawnFailure::Program);
}

bool spawnNonBlocking(int fd)
{
    const int flags = ::fcntl(fd, F_GETFL);
    return flags >= 0 && ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

// The terminal's two sides: the host's, and the program's.
bool spawnTerminal(const SpawnSpec &spec, UniqueFd &host, UniqueFd &program)
{
    host.reset(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!host.isOpen() || ::grantpt(host.get()) != 0 || ::unlockpt(host.get()) != 0)
        return false;
    char name[128];
    if (::ptsname_r(host.get(), name, sizeof name) != 0)
        return false;
    program.reset(::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!program.isOpen())
        return false;
    termios settings;
    if (::tcgetattr(program.get(), &settings) == 0) {
        settings.c_iflag |= IUTF8; // the erase key takes a character, not a byte
        ::tcsetattr(program.get(), TCSANOW, &settings);
    }
    winsize size = {};
    size.ws_col = static_cast<unsigned short>(spec.columns);
    size.ws_row = static_cast<unsigned short>(spec.rows);
    return ::ioctl(host.get(), TIOCSWINSZ, &size) == 0;
}

std::vector<char *> spawnPointers(const QList<QByteArray> &texts)
{
    std::vector<char *> pointers;
    pointers.reserve(size_t(texts.size()) + 1);
    for (const QByteArray &text : texts)
        pointers.push_back(const_cast<char *>(text.constData())); // exec promises not to write
    pointers.push_back(nullptr);
    return pointers;
}

} // namespace

Result<SpawnedChild> spawnHeld(const SpawnSpec &spec)
{
    SpawnedChild child;
    UniqueFd output;
    UniqueFd input;
    if (spec.tty) {
        if (!spawnTerminal(spec, child.output, output))
            return spawnError(errno);
    } else {
        int pipe[2];
        if (::pipe2(pipe, O_CLOEXEC) != 0)
            return spawnError(errno);
        child.output.reset(pipe[0]);
        output.reset(pipe[1]);
        input.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        if (!input.isOpen())
            return spawnError(errno);
    }
    // A socket, because writing to one whose reader is gone can be told not to raise SIGPIPE.
    int go[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, go) != 0)
        return spawnError(errno);
    child.go.reset(go[0]);
    UniqueFd childGo(go[1]);
    int status[2];
    if (::pipe2(status, O_CLOEXEC) != 0)
        return spawnError(errno);
    child.status.reset(status[0]);
    UniqueFd childStatus(status[1]);
    if (!spawnNonBlocking(child.output.get()) || !spawnNonBlocking(child.status.get()))
        return spawnError(errno);

    const std::vector<char *> argv = spawnPointers(spec.arguments);
    const std::vector<char *> envp = spawnPointers(spec.environment);
    rlimit limit = {};
    const long fdLimit = ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? long(qMin<rlim_t>(limit.rlim_cur, 65536)) : 1024;
    const SpawnFds fds{spec.tty ? output.get() : input.get(), output.get(), childGo.get(), childStatus.get(), spec.directory};

    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t pid = ::fork();
    if (pid == 0)
        spawnChild(fds, spec.tty, spec.program.constData(), argv.data(), envp.data(), fdLimit);
    const int error = errno;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (pid < 0)
        return spawnError(error);
    child.pid = pid;
    child.pidFd.reset(int(::syscall(SYS_pidfd_open, pid, 0U))); // close-on-exec by itself
    return child;
}

void letGo(SpawnedChild &child)
{
    if (child.go.isOpen())
        ::send(child.go.get(), "g", 1, MSG_NOSIGNAL);
    child.go.reset();
}

SpawnFailure spawnFailure(const SpawnedChild &child)
{
    SpawnFailure failure;
    ssize_t got = -1;
    do
        got = child.status.isOpen() ? ::read(child.status.get(), &failure, sizeof failure) : 0;
    while (got < 0 && errno == EINTR);
    return got == ssize_t(sizeof failure) ? failure : SpawnFailure{};
}

} // namespace foundry::backend
