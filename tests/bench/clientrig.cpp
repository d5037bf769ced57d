#include "tests/bench/clientrig.h"

#include "realtime/protocol/codec.h"
#include "realtime/protocol/frame.h"

#include <QElapsedTimer>
#include <QEventLoop>
#include <QFile>
#include <QTimer>
#include <ctime>
#include <unistd.h>

namespace foundry::bench {

bool pump(const std::function<bool()> &done, int timeoutMs)
{
    QElapsedTimer clock;
    clock.start();
    QEventLoop loop;
    QTimer tick;
    QObject::connect(&tick, &QTimer::timeout, &loop, [&] {
        if (done() || clock.elapsed() > timeoutMs)
            loop.quit();
    });
    if (!done()) {
        tick.start(1);
        loop.exec();
    }
    return done();
}

double threadCpuMs()
{
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return double(now.tv_sec) * 1e3 + double(now.tv_nsec) / 1e6;
}

Result<double> processCpuMs(qint64 pid)
{
    QFile file(QStringLiteral("/proc/%1/stat").arg(pid));
    if (!file.open(QIODevice::ReadOnly))
        return makeError(QLatin1StringView("internal"), QLatin1StringView("no_process"), QStringLiteral("Process %1 is gone.").arg(pid));
    const QByteArray text = file.readAll();
    const QList<QByteArray> fields = text.mid(text.lastIndexOf(')') + 2).split(' ');
    return (fields.value(11).toDouble() + fields.value(12).toDouble()) * 1000.0 / double(sysconf(_SC_CLK_TCK));
}

TaskSummary sampleTask(int n)
{
    TaskSummary task;
    task.id = TaskId(QStringLiteral("task-%1").arg(n, 6, 10, QLatin1Char('0')));
    task.repoId = RepoId(QStringLiteral("repo-%1").arg(n % 7));
    task.title = QStringLiteral("Make the parser %1 times as careful").arg(n);
    task.branch = QStringLiteral("make-the-parser-careful-%1").arg(n);
    task.baseBranch = QStringLiteral("main");
    task.status = n % 9 == 0 ? TaskStatus::Running : TaskStatus::Idle;
    SessionBrief session;
    session.id = SessionId(QStringLiteral("session-%1").arg(n));
    session.name = QStringLiteral("Session 1");
    session.agent = AgentId(QStringLiteral("runner"));
    session.status = SessionStatus::Idle;
    task.sessions = {session};
    task.diffStat = DiffStat{n % 12, n % 300, n % 40};
    task.createdAt = 1795349900000 + n;
    return task;
}

QByteArray summaryFrame(int n, int taskNumber, int bytes)
{
    TopicEvent event;
    event.topic = QStringLiteral("organization");
    event.generation = QStringLiteral("g");
    event.revision = n;
    event.at = 1795349912589;
    event.cause.kind = QStringLiteral("agent");
    TaskSummary task = sampleTask(taskNumber);
    task.title = QStringLiteral("%1: %2").arg(n).arg(task.title); // something that every card shows
    event.upserts = {task};
    QByteArray frame = protocol::encodeEventFrame(event.topic, protocol::encodeEvent(event));
    if (frame.size() < bytes) {
        task.title += QString(bytes - frame.size(), QLatin1Char('x'));
        event.upserts = {task};
        frame = protocol::encodeEventFrame(event.topic, protocol::encodeEvent(event));
    }
    return frame;
}

} // namespace foundry::bench
