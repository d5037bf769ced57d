#include "tests/bench/windowrig.h"

#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>

namespace foundry::bench {

namespace {

Error windowError(const QString &what)
{
    return makeError(QLatin1StringView("internal"), QLatin1StringView("bench"), what);
}

} // namespace

WindowRig::~WindowRig()
{
    stop();
}

Result<> WindowRig::start(const QString &hostDataDir, const QStringList &more)
{
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    for (const char *name : {"HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"})
        environment.insert(QString::fromLatin1(name), m_home);
    environment.insert(QStringLiteral("QT_QPA_PLATFORM"), QStringLiteral("offscreen"));
    environment.insert(QStringLiteral("FOUNDRY_TRACE"), QStringLiteral("1"));
    m_process.setProcessEnvironment(environment);
    m_process.setStandardErrorFile(m_home + QStringLiteral("/stderr"));
    m_clock.start();
    m_process.start(QStringLiteral(FOUNDRY_BIN_DIR "/foundry-workbench"), QStringList{QStringLiteral("--host-data-dir"), hostDataDir} + more);
    if (!m_process.waitForStarted(5000))
        return windowError(QStringLiteral("foundry-workbench did not start: %1").arg(m_process.errorString()));
    return Unit{};
}

Result<double> WindowRig::mark(const QString &name, int timeoutMs)
{
    while (!m_marks.contains(name)) {
        const int left = timeoutMs - int(m_clock.elapsed());
        if (left <= 0 || (!m_process.waitForReadyRead(left) && m_process.state() == QProcess::NotRunning))
            return windowError(QStringLiteral("The window never said “%1”.").arg(name));
        const double now = double(m_clock.nsecsElapsed()) / 1e6;
        m_buffer += m_process.readAllStandardOutput();
        for (qsizetype end = m_buffer.indexOf('\n'); end >= 0; end = m_buffer.indexOf('\n')) {
            const QString said = QJsonDocument::fromJson(m_buffer.left(end)).object().value(QLatin1StringView("mark")).toString();
            m_buffer.remove(0, end + 1);
            if (!said.isEmpty() && !m_marks.contains(said))
                m_marks.insert(said, now);
        }
    }
    return m_marks.value(name);
}

void WindowRig::stop()
{
    if (m_process.state() == QProcess::NotRunning)
        return;
    m_process.terminate();
    if (!m_process.waitForFinished(5000)) {
        m_process.kill();
        m_process.waitForFinished(2000);
    }
}

Result<double> pssMb(qint64 pid)
{
    QFile file(QStringLiteral("/proc/%1/smaps_rollup").arg(pid));
    if (!file.open(QIODevice::ReadOnly))
        return windowError(QStringLiteral("The memory of process %1 cannot be read.").arg(pid));
    for (const QByteArray &line : file.readAll().split('\n')) {
        if (line.startsWith("Pss:"))
            return line.mid(4).trimmed().split(' ').first().toDouble() / 1024;
    }
    return windowError(QStringLiteral("The kernel gives no PSS."));
}

Result<qint64> wakeUps(qint64 pid)
{
    const QDir tasks(QStringLiteral("/proc/%1/task").arg(pid));
    const QStringList threads = tasks.entryList(QDir::Dirs | QDir::NoDotAndDotDot);
    if (threads.isEmpty())
        return windowError(QStringLiteral("Process %1 is gone.").arg(pid));
    qint64 sum = 0;
    for (const QString &thread : threads) {
        QFile file(tasks.filePath(thread + QStringLiteral("/status")));
        if (!file.open(QIODevice::ReadOnly))
            continue; // it ended meanwhile
        for (const QByteArray &line : file.readAll().split('\n')) {
            if (line.startsWith("voluntary_ctxt_switches:"))
                sum += line.mid(24).trimmed().toLongLong();
        }
    }
    return sum;
}

} // namespace foundry::bench
