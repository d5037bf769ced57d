#include "backend/host/hostlog.h"

#include <QDateTime>
#include <QFile>
#include <QRegularExpression>

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
    QString secret;
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
    if (log.file.open(QIODevice::WriteOnly | QIODevice::Append))
        log.file.setPermissions(QFileDevice::ReadOwner | QFileDevice::WriteOwner);
}

// One line for one message; no secret of this host, and no name and password of an address, whoever wrote them.
QString hostlogScrubbed(QString text)
{
    static const QRegularExpression userInfo(QStringLiteral(R"(([a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s@]+@)"));
    text.replace(userInfo, QStringLiteral("\\1***@"));
    if (!hostlogCurrent->secret.isEmpty())
        text.replace(hostlogCurrent->secret, QStringLiteral("***"));
    static const QRegularExpression tokens(QStringLiteral("fdt_([0-9a-f]+)_[0-9a-zA-Z]+"));
    text.replace(tokens, QStringLiteral("fdt_\\1_***"));
    text.replace(QLatin1Char('\r'), QLatin1Char(' '));
    text.replace(QLatin1Char('\n'), QStringLiteral(" | "));
    return text;
}

void hostlogWrite(QtMsgType type, const QMessageLogContext &context, const QString &message)
{
    static constexpr char letters[] = {'D', 'W', 'E', 'F', 'I'};
    const QString text = hostlogScrubbed(message.left(4000));
    const QByteArray line = QDateTime::currentDateTimeUtc().toString(Qt::ISODateWithMs).toLatin1() + ' '
        + letters[qBound(0, int(type), 4)] + ' ' + (context.category ? context.category : "default") + ": "
        + text.toUtf8() + '\n';
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

void startHostLog(const QString &path, const QString &secret)
{
    hostlogCurrent = new HostLog;
    hostlogCurrent->path = path;
    hostlogCurrent->secret = secret;
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
