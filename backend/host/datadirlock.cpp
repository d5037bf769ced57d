#include "backend/host/datadirlock.h"

#include <QByteArray>
#include <QDir>
#include <QFile>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace foundry::backend {

namespace {

constexpr int lockPatienceMs = 3000;
constexpr int lockStepMs = 10;

QString lockHolder(int file)
{
    char text[32] = {};
    const ssize_t size = ::pread(file, text, sizeof text - 1, 0);
    return QString::fromLatin1(text, size > 0 ? qsizetype(size) : 0).trimmed();
}

// Also true of a zombie: it has no program any more.
bool isHolderGone(const QString &pid)
{
    char target[8];
    return !pid.isEmpty() && ::readlink(QFile::encodeName(QStringLiteral("/proc/%1/exe").arg(pid)).constData(), target, sizeof target) < 0
        && errno == ENOENT;
}

} // namespace

DataDirLock::~DataDirLock()
{
    if (m_file >= 0)
        ::close(m_file); // the file stays: removing it would race with the next holder
}

Result<> DataDirLock::acquire(const QString &dataDir)
{
    const auto failed = [&dataDir](const QString &what) {
        return makeError(QLatin1StringView("internal"), QLatin1StringView("data_dir"),
            QStringLiteral("The data directory %1 cannot be used: %2.").arg(dataDir, what),
            QStringLiteral("Choose another one with --data-dir, or make it writable."));
    };
    const bool existed = QDir(dataDir).exists();
    if (!QDir().mkpath(dataDir))
        return failed(QStringLiteral("it cannot be made"));
    if (!existed)
        QFile::setPermissions(dataDir, QFileDevice::ReadOwner | QFileDevice::WriteOwner | QFileDevice::ExeOwner);
    const QString path = dataDir + QStringLiteral("/host.lock");
    m_file = ::open(QFile::encodeName(path).constData(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (m_file < 0)
        return failed(QString::fromLocal8Bit(std::strerror(errno)));
    bool locked = ::flock(m_file, LOCK_EX | LOCK_NB) == 0;
    QString holder = locked ? QString() : lockHolder(m_file);
    // A host that was killed is gone, but a program that it was just starting holds its files until it is executed.
    for (int waited = 0; !locked && waited < lockPatienceMs && isHolderGone(holder); waited += lockStepMs) {
        ::usleep(lockStepMs * 1000);
        locked = ::flock(m_file, LOCK_EX | LOCK_NB) == 0;
        holder = locked ? QString() : lockHolder(m_file);
    }
    if (!locked) {
        ::close(m_file);
        m_file = -1;
        return makeError(QLatin1StringView("state"), QLatin1StringView("locked"),
            QStringLiteral("The data directory %1 is in use by foundry-host with process id %2.")
                .arg(dataDir, holder.isEmpty() ? QStringLiteral("(not written yet)") : holder),
            QStringLiteral("Use that one, stop it, or choose another directory with --data-dir."));
    }
    const QByteArray pid = QByteArray::number(qint64(::getpid())) + '\n';
    if (::ftruncate(m_file, 0) != 0 || ::pwrite(m_file, pid.constData(), size_t(pid.size()), 0) != pid.size())
        return failed(QString::fromLocal8Bit(std::strerror(errno)));
    return Unit{};
}

} // namespace foundry::backend
