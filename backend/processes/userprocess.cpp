#include "backend/processes/userprocess.h"

#include "backend/processes/processplace.h"
#include "models/types/ids.h"

#include <QFile>
#include <QFileInfo>
#include <QLoggingCategory>
#include <QPointer>
#include <QSocketNotifier>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

namespace foundry::backend {

namespace {

Q_LOGGING_CATEGORY(userprocessLog, "foundry.processes")

constexpr qint64 userprocessReadBudget = 256 * 1024; // per turn of the event loop, so that a flood starves nobody
constexpr qint64 userprocessLastRead = 1024 * 1024;
constexpr int userprocessDrainMs = 200;
constexpr int userprocessSweepMs = 50;
constexpr int userprocessHangUpMs = 1000; // what a terminal's programs have to say good-bye before SIGTERM cuts in
constexpr int userprocessPollMs = 50;

} // namespace

UserProcess::UserProcess(UserProcessLimits limits, QObject *parent)
    : QObject(parent)
    , m_limits(limits)
{
    m_drain.setSingleShot(true);
    m_drain.setInterval(userprocessDrainMs);
    m_sweep.setInterval(userprocessSweepMs);
    m_endPoll.setInterval(userprocessPollMs);
    connect(&m_drain, &QTimer::timeout, this, &UserProcess::conclude);
    connect(&m_sweep, &QTimer::timeout, this, &UserProcess::sweep);
    connect(&m_endPoll, &QTimer::timeout, this, &UserProcess::leaderEnded);
}

UserProcess::~UserProcess()
{
    if (m_child.pid <= 0 || m_gone)
        return;
    // Shells keep their history when the terminal hangs up; then all of it goes.
    if (m_spec.tty && !m_leaderEnded)
        signalAll(SIGHUP, false);
    m_child.go.reset();
    for (int i = 0; i < 50; ++i) { // what is forked meanwhile is found by the next look
        signalAll(SIGKILL, true);
        if (sessionMembers(m_identity).isEmpty())
            break;
        ::usleep(2000);
    }
    siginfo_t info = {};
    ::waitid(P_PID, id_t(m_child.pid), &info, WEXITED | WNOHANG);
    closeOutput();
}

Result<ProcessIdentity> UserProcess::prepare(const UserProcessSpec &spec)
{
    Q_ASSERT(m_child.pid == 0);
    m_spec = spec;
    auto folder = openProcessFolder(spec.root, spec.folder);
    if (!folder)
        return folder.error();
    auto program = findProcessProgram(spec.command, folder->path, spec.environment);
    if (!program)
        return program.error();
    m_program = *program;
    const QString marker = makeUuid7();
    QProcessEnvironment environment = spec.environment;
    environment.insert(processMarkerName(), marker);
    environment.insert(QStringLiteral("PWD"), folder->path);

    SpawnSpec spawn;
    spawn.program = QFile::encodeName(m_program);
    spawn.arguments.append(QFile::encodeName(spec.command));
    for (const QString &arg : spec.args)
        spawn.arguments.append(arg.toUtf8());
    const QStringList variables = environment.toStringList();
    for (const QString &variable : variables)
        spawn.environment.append(variable.toLocal8Bit());
    spawn.directory = folder->fd.get();
    spawn.tty = spec.tty;
    spawn.columns = spec.columns;
    spawn.rows = spec.rows;
    auto child = spawnHeld(spawn);
    if (!child)
        return child.error();
    m_child = std::move(*child);
    m_identity = identifyProcess(m_child.pid, marker);
    if (!m_identity.isValid()) {
        const pid_t pid = pid_t(std::exchange(m_child, {}).pid); // it ends by itself: nothing will let it go
        siginfo_t info = {};
        ::kill(pid, SIGKILL);
        ::waitid(P_PID, id_t(pid), &info, WEXITED);
        return makeError(QLatin1StringView("sandbox"), QLatin1StringView("start_failed"),
            QStringLiteral("The process could not be identified in /proc."), QStringLiteral("Mount /proc, then try again."));
    }
    return m_identity;
}

void UserProcess::run()
{
    if (m_child.pid <= 0 || m_reader)
        return;
    watch();
    letGo(m_child);
}

void UserProcess::watch()
{
    m_reader = new QSocketNotifier(m_child.output.get(), QSocketNotifier::Read, this);
    connect(m_reader, &QSocketNotifier::activated, this, &UserProcess::readOutput);
    if (m_spec.tty) {
        m_writer = new QSocketNotifier(m_child.output.get(), QSocketNotifier::Write, this);
        m_writer->setEnabled(false);
        connect(m_writer, &QSocketNotifier::activated, this, &UserProcess::writeInput);
    }
    if (m_child.pidFd.isOpen()) {
        m_ender = new QSocketNotifier(m_child.pidFd.get(), QSocketNotifier::Read, this);
        connect(m_ender, &QSocketNotifier::activated, this, &UserProcess::leaderEnded);
    } else {
        m_endPoll.start();
    }
}

bool UserProcess::readSome(qint64 budget)
{
    QByteArray bytes;
    bool isOpen = true;
    char piece[65536];
    while (isOpen && bytes.size() < budget) {
        const ssize_t got = ::read(m_child.output.get(), piece, sizeof piece);
        if (got > 0)
            bytes.append(piece, qsizetype(got));
        else if (got == 0 || (errno != EINTR && errno != EAGAIN))
            isOpen = false; // a terminal that nobody holds any more answers EIO
        else if (errno == EAGAIN)
            break;
    }
    if (!bytes.isEmpty())
        Q_EMIT output(bytes);
    return isOpen;
}

void UserProcess::readOutput()
{
    if (!m_child.output.isOpen())
        return;
    const QPointer<UserProcess> self(this);
    const bool isOpen = readSome(userprocessReadBudget);
    if (!self || isOpen)
        return;
    closeOutput();
    if (m_leaderEnded)
        conclude();
}

Result<> UserProcess::checkRoom(qint64 bytes) const
{
    if (!m_spec.tty || !isRunning() || !m_child.output.isOpen()) {
        return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"),
            QStringLiteral("This process reads no input any more."));
    }
    if (m_input.size() + bytes > m_limits.unsentInput) {
        return makeError(QLatin1StringView("actor"), QLatin1StringView("overloaded"),
            QStringLiteral("The program does not read what is typed; %1 KiB wait for it.").arg(m_input.size() / 1024),
            QStringLiteral("Wait until it goes on, or stop it."));
    }
    return Unit{};
}

Result<> UserProcess::write(const QByteArray &bytes)
{
    if (auto room = checkRoom(bytes.size()); !room)
        return room;
    m_input += bytes;
    writeInput();
    return Unit{};
}

void UserProcess::writeInput()
{
    qsizetype done = 0;
    while (m_child.output.isOpen() && done < m_input.size()) {
        const ssize_t wrote = ::write(m_child.output.get(), m_input.constData() + done, size_t(m_input.size() - done));
        if (wrote > 0)
            done += wrote;
        else if (wrote < 0 && errno == EAGAIN)
            break;
        else if (wrote == 0 || errno != EINTR)
            done = m_input.size(); // nobody reads it any more; its end is on its way
    }
    m_input.remove(0, done);
    if (m_writer)
        m_writer->setEnabled(!m_input.isEmpty());
}

void UserProcess::resize(int columns, int rows)
{
    winsize size = {};
    size.ws_col = static_cast<unsigned short>(columns);
    size.ws_row = static_cast<unsigned short>(rows);
    if (m_spec.tty && m_child.output.isOpen())
        ::ioctl(m_child.output.get(), TIOCSWINSZ, &size); // the foreground group hears SIGWINCH
}

void UserProcess::signalAll(int signal, bool alsoThoseWhoLeft)
{
    QList<qint64> members = sessionMembers(m_identity);
    if (alsoThoseWhoLeft) {
        const QList<qint64> marked = livingMembers(m_identity);
        for (const qint64 pid : marked) {
            if (!members.contains(pid))
                members.append(pid);
        }
    }
    // Before setsid the child is no leader yet, and still ours.
    if (!m_leaderEnded && !members.contains(m_child.pid))
        members.append(m_child.pid);
    for (const qint64 pid : std::as_const(members))
        ::kill(pid_t(pid), signal);
}

void UserProcess::stop()
{
    if (m_gone || m_child.pid <= 0 || m_ending != Ending::No)
        return;
    m_ending = Ending::Asked;
    m_reachesAll = true;
    m_since.start();
    // Interactive shells do not listen to SIGTERM; what does not mind a hang-up gets it a little later.
    m_isTermDue = m_spec.tty;
    signalAll(m_spec.tty ? SIGHUP : SIGTERM, true);
    signalAll(SIGCONT, true); // what is stopped hears nothing before
    m_sweep.start();
}

void UserProcess::kill()
{
    if (m_gone || m_child.pid <= 0 || m_ending == Ending::Killed)
        return;
    m_ending = Ending::Killed;
    m_reachesAll = true;
    m_since.start();
    signalAll(SIGKILL, true);
    m_sweep.start();
}

void UserProcess::leaderEnded()
{
    siginfo_t info = {};
    // Looked at and not taken: as a zombie it keeps its number, and with it the session's, until all of it is gone.
    if (m_leaderEnded || ::waitid(P_PID, id_t(m_child.pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
        return;
    m_leaderEnded = true;
    if (m_ender)
        m_ender->setEnabled(false);
    m_endPoll.stop();
    if (info.si_code == CLD_EXITED)
        m_exit.code = info.si_status;
    else
        m_exit.signal = info.si_status;
    if (!m_child.output.isOpen()) {
        conclude();
        return;
    }
    // What it wrote last may still be on its way through the terminal. Somebody who holds it open is not waited for long.
    m_drain.start();
    readOutput();
}

void UserProcess::conclude()
{
    if (m_concluded)
        return;
    m_drain.stop();
    const QPointer<UserProcess> self(this);
    if (m_child.output.isOpen())
        readSome(userprocessLastRead);
    if (!self)
        return;
    closeOutput(); // a terminal hangs up
    m_concluded = true;
    m_input.clear();
    const SpawnFailure failure = spawnFailure(m_child);
    if (failure.step != SpawnFailure::None)
        Q_EMIT failed(failureOf(failure));
    else
        Q_EMIT exited(m_exit);
    if (!self)
        return;
    // What it left behind in its session has no terminal and no owner any more. Who made a session of his own meant to
    // stay, and is ended only when the user says so.
    if (m_ending == Ending::No) {
        m_ending = Ending::Asked;
        m_since.start();
        signalAll(SIGHUP, false);
        signalAll(SIGCONT, false);
    }
    m_sweep.start();
    sweep();
}

void UserProcess::sweep()
{
    if (m_ending == Ending::Asked && m_isTermDue && m_since.elapsed() > qMin(userprocessHangUpMs, m_limits.graceMs / 2)) {
        m_isTermDue = false;
        signalAll(SIGTERM, true);
    }
    const bool isOver = m_since.elapsed() > m_limits.graceMs;
    if (m_ending == Ending::Asked && isOver) {
        m_ending = Ending::Killed;
        m_since.start();
    }
    if (m_ending == Ending::Killed)
        signalAll(SIGKILL, m_reachesAll);
    if (!m_concluded)
        return;
    const bool isStuck = m_ending == Ending::Killed && m_since.elapsed() > m_limits.stuckMs;
    if (isStuck)
        qCWarning(userprocessLog, "something of process %lld does not go away", qlonglong(m_child.pid));
    if (isStuck || (sessionMembers(m_identity).isEmpty() && (!m_reachesAll || livingMembers(m_identity).isEmpty())))
        finish();
}

void UserProcess::finish()
{
    m_sweep.stop();
    siginfo_t info = {};
    ::waitid(P_PID, id_t(m_child.pid), &info, WEXITED | WNOHANG);
    m_gone = true;
    Q_EMIT gone();
}

void UserProcess::closeOutput()
{
    for (QSocketNotifier **notifier : {&m_reader, &m_writer}) {
        if (!*notifier)
            continue;
        (*notifier)->setEnabled(false);
        (*notifier)->deleteLater();
        *notifier = nullptr;
    }
    m_child.output.reset();
}

Error UserProcess::failureOf(const SpawnFailure &failure) const
{
    const QString said = QString::fromLocal8Bit(std::strerror(failure.error));
    if (failure.step == SpawnFailure::Program && failure.error == ENOENT && QFileInfo::exists(m_program)) {
        return makeError(QLatin1StringView("sandbox"), QLatin1StringView("not_executable"),
            QStringLiteral("“%1” names an interpreter that is not there.").arg(m_program),
            QStringLiteral("Look at its first line, and install what it names."), said);
    }
    if (failure.step == SpawnFailure::Program && (failure.error == ENOEXEC || failure.error == EACCES)) {
        return makeError(QLatin1StringView("sandbox"), QLatin1StringView("not_executable"),
            QStringLiteral("“%1” is no program that this machine can run.").arg(m_program),
            QStringLiteral("Start it with its interpreter, or build it for this machine."), said);
    }
    return makeError(QLatin1StringView("sandbox"), QLatin1StringView("start_failed"),
        QStringLiteral("“%1” could not be started: %2.").arg(m_spec.command, said), QStringLiteral("Try again."), said);
}

} // namespace foundry::backend
