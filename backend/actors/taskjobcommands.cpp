// The task actor's commands over its jobs.
#include "backend/actors/decodedcommand.h"
#include "backend/actors/taskactor.h"

#include <QSet>

namespace foundry::backend {

void TaskActor::registerJobCommands(ActionTable &table)
{
    // The job's row as it stands after its first step has begun.
    const auto answer = [this](Transaction &tx, const Result<Job> &job) -> Result<QByteArray> {
        if (!job)
            return job.error();
        settle(tx);
        return protocol::encodeValue(JobAnswer{m_jobs.job(job->id).value_or(*job)});
    };
    table.command(QStringLiteral("revert"), decodedCommand<Revert>([this, answer](Transaction &tx, const Caller &caller, const Revert &command) {
        m_transcripts.recover();
        return answer(tx, m_edits.revert(tx, command, caller.userId));
    }));
    table.command(QStringLiteral("undoRevert"), decodedCommand<UndoRevert>([this, answer](Transaction &tx, const Caller &caller, const UndoRevert &command) {
        m_transcripts.recover();
        return answer(tx, m_edits.undoRevert(tx, command, caller.userId));
    }));
    table.command(QStringLiteral("commit"), decodedCommand<Commit>([this, answer](Transaction &tx, const Caller &caller, const Commit &command) {
        m_transcripts.recover();
        return answer(tx, m_edits.commit(tx, command, caller.userId));
    }));
    table.command(QStringLiteral("cancelJob"), decodedCommand<CancelJob>([this](Transaction &tx, const Caller &, const CancelJob &command) -> Result<QByteArray> {
        m_transcripts.recover();
        auto job = m_jobs.cancel(tx, command.jobId);
        if (!job)
            return job.error();
        settle(tx);
        return protocol::encodeValue(JobAnswer{m_jobs.job(command.jobId).value_or(*job)});
    }));
}

void TaskActor::guardCommands(ActionTable &table)
{
    // What only names, ends or takes back.
    static const QSet<QString> always{QStringLiteral("renameTask"), QStringLiteral("renameSession"), QStringLiteral("closeSession"), QStringLiteral("cancelTurn"),
        QStringLiteral("cancelJob"), QStringLiteral("editQueued"), QStringLiteral("dropQueued")};
    const QHash<QString, CommandHandler> all = table.commands();
    for (auto it = all.cbegin(); it != all.cend(); ++it) {
        const bool allowed = always.contains(it.key());
        table.command(it.key(), [this, allowed, handler = it.value()](Transaction &tx, const Caller &caller, QByteArrayView args) -> Result<QByteArray> {
            const bool away = m_lifecycle.isAway();
            if (away && !allowed)
                return m_lifecycle.refusal();
            auto answer = handler(tx, caller, args);
            if (answer && !away)
                m_lifecycle.acknowledge(tx);
            return answer;
        });
    }
}

} // namespace foundry::backend
