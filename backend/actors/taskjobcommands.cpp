// The task actor's commands over its jobs.
#include "backend/actors/decodedcommand.h"
#include "backend/actors/taskactor.h"

namespace foundry::backend {

void TaskActor::registerJobCommands(ActionTable &table)
{
    table.command(QStringLiteral("cancelJob"), decodedCommand<CancelJob>([this](Transaction &tx, const Caller &, const CancelJob &command) -> Result<QByteArray> {
        m_transcripts.recover();
        auto job = m_jobs.cancel(tx, command.jobId);
        if (!job)
            return job.error();
        settle(tx);
        return protocol::encodeValue(JobAnswer{m_jobs.job(command.jobId).value_or(*job)});
    }));
}

} // namespace foundry::backend
