#include "backend/agents/processreaper.h"

#include <QElapsedTimer>
#include <QTimer>
#include <csignal>

namespace foundry::backend {

ProcessReaper::ProcessReaper(QObject *parent)
    : QObject(parent)
{
}

void ProcessReaper::setGrace(int termMs, int deadlineMs)
{
    m_termMs = termMs;
    m_deadlineMs = deadlineMs;
}

void ProcessReaper::reap(const ProcessIdentity &identity, std::function<void(Result<ReapOutcome>)> done)
{
    struct Round {
        ReapOutcome outcome;
        QElapsedTimer clock;
    };
    auto round = std::make_shared<Round>();
    round->clock.start();
    round->outcome.wasRunning = signalMembers(identity, SIGTERM) > 0;

    auto *look = new QTimer(this);
    look->setInterval(round->outcome.wasRunning ? 50 : 0);
    connect(look, &QTimer::timeout, this,
        [look, round, identity, termMs = m_termMs, deadlineMs = m_deadlineMs, done = std::move(done)] {
            const auto finish = [look, done](Result<ReapOutcome> result) {
                look->stop();
                look->deleteLater();
                done(std::move(result));
            };
            const QList<qint64> left = livingMembers(identity);
            if (left.isEmpty()) {
                finish(round->outcome);
                return;
            }
            look->setInterval(50);
            if (round->clock.elapsed() >= deadlineMs) {
                QStringList pids;
                for (const qint64 pid : left)
                    pids.append(QString::number(pid));
                finish(makeError(QLatin1StringView("agent"), QLatin1StringView("timeout"),
                    tr("An agent of an earlier run cannot be ended (process %1).").arg(pids.join(QStringLiteral(", "))),
                    tr("End it yourself, then try again.")));
                return;
            }
            if (round->clock.elapsed() >= termMs) {
                round->outcome.killed = true;
                signalMembers(identity, SIGKILL);
            }
        });
    look->start();
}

} // namespace foundry::backend
