#include "backend/host/hostlog.h"

#include <QDateTime>
#include <QFile>

#include <cstdio>
#include <mutex>
#include <sys/stat.h>
#include <unistd.h>

namespace foundry::backend {

namespace {

constexpr qint64 kLogBytes = 2 * 1024 * 1024;

// Messages come from any thread and until the very end, so this is never destroyed.
struct HostLog {
    std::mutex mutex;
    QString path;
    QFile file;
    bool echo = true; // lines to standard error as well
};
HostLog *hostlogCurrent = nullptr;

void hostlogRotate(HostLog &log)
{
    log.file.close();
    const QString older = log.path + QStringLiteral(".1");
    QFile::remove(older);
    QFile::rename(log.path, older);
    (void)log.file.open(QIODevice::WriteOnly | QIODevice::Append);
}

void hostlogWrite(QtMsgType type, const QMessageLogContext &context, const QString &message)
{
    static constexpr char letters[] = {'D', 'W', 'E', 'F', 'I'};
    const QByteArray line = QDateTime::currentDateTimeUtc().toString(Qt::ISODateWithMs).toLatin1() + ' '
        + letters[qBound(0, int(type), 4)] + ' ' + (context.category ? context.category : "default") + ": "
        + message.left(4000).toUtf8() + '\n';
    const std::lock_guard lock(hostlogCurrent->mutex);
    if (hostlogCurrent->file.isOpen()) {
        if (hostlogCurrent->file.size() > kLogBytes)
            hostlogRotate(*hostlogCurrent);
        hostlogCurrent->file.write(line);
        hostlogCurrent->file.flush();
    }
    if (hostlogCurrent->echo)
        std::fwrite(line.constData(), 1, size_t(line.size()), stderr);
}

} // namespace

void startHostLog(const QString &path)
{
    hostlogCurrent = new HostLog;
    hostlogCurrent->path = path;
    hostlogCurrent->file.setFileName(path);
    if (!hostlogCurrent->file.open(QIODevice::WriteOnly | QIODevice::Append))
        std::fprintf(stderr, "foundry-host: the log %s cannot be written\n", qPrintable(path));
    else
        hostlogCurrent->file.setPermissions(QFileDevice::ReadOwner | QFileDevice::WriteOwner);
    qInstallMessageHandler(hostlogWrite);
}

void endStartLog()
{
    struct stat status = {};
    if (!hostlogCurrent || ::fstat(STDERR_FILENO, &status) != 0 || !S_ISREG(status.st_mode))
        return;
    const std::lock_guard lock(hostlogCurrent->mutex);
    hostlogCurrent->echo = false;
}

} // namespace foundry::backend
