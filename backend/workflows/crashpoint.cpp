#include "backend/workflows/crashpoint.h"

#ifdef FOUNDRY_CRASH_POINTS

#include <QHash>
#include <QStringList>

#include <csignal>
#include <fcntl.h>
#include <mutex>
#include <unistd.h>

namespace foundry::backend {

namespace {

class CrashPlan {
public:
    CrashPlan()
        : m_log(qEnvironmentVariable("FOUNDRY_CRASH_LOG"))
    {
        const QStringList parts = qEnvironmentVariable("FOUNDRY_CRASH_POINT").split(QLatin1Char('|'));
        if (parts.size() != 3)
            return;
        m_name = parts.at(0);
        m_before = parts.at(1) == QLatin1StringView("before");
        m_pass = parts.at(2).toInt();
    }
    bool isOn() const { return m_pass > 0 || !m_log.isEmpty(); }
    // Whether this pass is the one that is meant. Counted at the start of a point, so that "before" and "after" are the same pass.
    bool passes(const QString &name)
    {
        const std::lock_guard lock(m_mutex);
        note(name);
        if (m_pass == 0 || (m_name != name && m_name != QLatin1StringView("*")))
            return false;
        return ++m_passed == m_pass;
    }
    bool isBefore() const { return m_before; }
    void has(const QString &step)
    {
        const std::lock_guard lock(m_mutex);
        note(QStringLiteral("has ") + step);
    }

private:
    void note(const QString &text)
    {
        if (m_log.isEmpty())
            return;
        const int file = ::open(m_log.toLocal8Bit().constData(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        const QByteArray line = text.toUtf8() + '\n';
        if (file >= 0 && ::write(file, line.constData(), size_t(line.size())) != line.size())
            m_log.clear();
        ::close(file);
    }

    std::mutex m_mutex;
    QString m_log;
    QString m_name;
    bool m_before = false;
    int m_pass = 0;
    int m_passed = 0;
};

CrashPlan &crashPlan()
{
    static CrashPlan plan; // the environment's, read once; tests only
    return plan;
}

void crashNow()
{
    ::kill(::getpid(), SIGKILL);
    ::pause();
}

} // namespace

bool crashPointsAreOn()
{
    return crashPlan().isOn();
}

void crashPoint(Transaction &tx, const QString &name)
{
    if (!crashPlan().isOn() || !crashPlan().passes(name))
        return;
    if (crashPlan().isBefore())
        crashNow();
    tx.afterCommit([] { crashNow(); });
}

void crashBefore(const QString &name)
{
    if (crashPlan().isOn() && crashPlan().isBefore() && crashPlan().passes(name))
        crashNow();
}

void crashHas(const QString &kind, const QString &step)
{
    if (crashPlan().isOn())
        crashPlan().has(kind + QLatin1Char('/') + step);
}

void crashAfter(const QString &name)
{
    if (crashPlan().isOn() && !crashPlan().isBefore() && crashPlan().passes(name))
        crashNow();
}

} // namespace foundry::backend

#endif
